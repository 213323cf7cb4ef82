import type { HealthReport } from '../http/health.ts';

/** The composed controller. */
export interface Controller {
  /**
   * Starts everything, works until `signal` aborts, then stops everything in reverse order and resolves.
   * @throws whatever kept it from starting, after what had started was stopped.
   */
  run(signal: AbortSignal): Promise<void>;
  /** URL of the HTTP endpoints; `undefined` while they are not served. */
  readonly address: string | undefined;
  /** What `/readyz` answers. */
  ready(): HealthReport;
  /** What a stop has not released yet, the next one first. */
  readonly pending: readonly string[];
}
