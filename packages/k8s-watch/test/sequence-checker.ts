import { DeletedFinalStateUnknown } from '../src/deleted-final-state-unknown.ts';
import type { InformerHandlers } from '../src/handler-registry.ts';

/** What the checker has to know of an object. */
export interface Checked {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/**
 * Keeps a world of its own from events alone and notes each event that does not fit it: an add of what is there, an
 * update or delete of what is not, an update from another state than the last, to another uid or to an older version.
 */
export class SequenceChecker<T extends Checked> implements InformerHandlers<T> {
  readonly world: Map<string, T> = new Map();
  readonly violations: string[] = [];
  readonly #mayGoBack: () => boolean;

  /** @param mayGoBack whether a server that lost its newest state has been believed. */
  constructor(mayGoBack: () => boolean) {
    this.#mayGoBack = mayGoBack;
  }

  onAdd(value: T): void {
    if (this.world.has(value.name)) this.violations.push(`add of ${value.name}, which is there`);
    this.world.set(value.name, value);
  }

  onUpdate(old: T, value: T): void {
    const known = this.world.get(old.name);
    if (known !== old) this.violations.push(`update of ${old.name} from a state that was not the last`);
    if (old.uid !== value.uid) this.violations.push(`update of ${old.name} to another uid`);
    if (Number(value.resourceVersion) <= Number(old.resourceVersion) && !this.#mayGoBack()) {
      this.violations.push(`update of ${old.name} to an older version`);
    }
    this.world.set(value.name, value);
  }

  onDelete(last: T | DeletedFinalStateUnknown<T>): void {
    const late = last instanceof DeletedFinalStateUnknown;
    const value = late ? last.last : last;
    const known = this.world.get(value.name);
    if (known?.uid !== value.uid) this.violations.push(`delete of ${value.name}, which is not there`);
    if (late && (known !== value || last.key !== value.name)) {
      this.violations.push(`tombstone of ${value.name} with a state that was not the last`);
    }
    this.world.delete(value.name);
  }
}
