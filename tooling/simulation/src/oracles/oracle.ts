import type { World } from '../world/world.ts';

/** Kinds of findings. The first four are counted in the summary. */
export const FINDING_KINDS = [
  'double-write',
  'overwrite',
  'wrongly-fenced',
  'stuck',
  'unfenced-release',
  'unconfirmed-write',
  'leak',
  'false-claim',
  'crash',
] as const;

/** @see FINDING_KINDS */
export type FindingKind = (typeof FINDING_KINDS)[number];

/** Something that must not have happened. */
export interface Finding {
  readonly kind: FindingKind;
  readonly atMs: number;
  readonly detail: string;
}

/** Says what must not have happened. Called once for each. */
export type Report = (kind: FindingKind, detail: string) => void;

/** Watches a run from the outside: it knows the truth, and takes no word of the controller for it. */
export interface Oracle {
  /** Called every five seconds of virtual time. */
  sample?(): void;
  /** Called once everything was repaired and had time to settle. */
  atEnd?(): void;
}

export type CreateOracle = (world: World, report: Report) => Oracle;
