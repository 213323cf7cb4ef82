/** How the process ends. Documented in the README. */
export const EXIT = {
  /** Stopped cleanly. */
  ok: 0,
  /** Failed at run time, or the stop took longer than `shutdownGraceMs`. */
  failed: 1,
  /** The configuration was refused. */
  badConfig: 2,
} as const;

/** @see EXIT */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
