import type { World } from '../world/world.ts';

/** Something that happens to the world: plain data, so that a list of them can be printed, shortened and run again. */
export interface Operation {
  /** From the end of the warm-up, ms. */
  readonly atMs: number;
  readonly kind: string;
  /** The Node it is about, where it is about one. */
  readonly node: string;
  /** In [0, 1): decides what else there is to decide. */
  readonly value: number;
  /** When it ends by itself, ms later; absent: it lasts until everything is repaired. */
  readonly lastsMs?: number;
}

/** Ends what an operation began. */
export type Undo = () => void;

/** One kind of operation. */
export interface OperationType {
  /** How often it is drawn, beside the others. */
  readonly weight: number;
  /** Carries it out; one that can end returns how. Does nothing where it makes no sense. */
  readonly apply: (world: World, operation: Operation) => Undo | undefined;
}

/** A family: kinds by name. */
export type OperationFamily = Readonly<Record<string, OperationType>>;

/** One of the items, as the value of the operation says. `undefined` for an empty list. */
export function chosen<T>(items: readonly T[], { value }: Pick<Operation, 'value'>): T | undefined {
  return items[Math.floor(value * items.length)];
}
