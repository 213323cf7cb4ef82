import type { PassObserver } from '@reattach/core';

/** One observer that calls several, in order. */
export function observers(...all: readonly PassObserver[]): PassObserver {
  return {
    passed(report, signal) {
      for (const observer of all) observer.passed(report, signal);
    },
  };
}
