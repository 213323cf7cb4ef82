/** What one run measured. */
export interface Outcome {
  /** Volumes released. */
  readonly released: number;
  /** Volumes held and not released. */
  readonly held: number;
  /** From the moment Kubernetes reported the node lost until its last volume was released, ms. */
  readonly detectToReleaseMs: number | null;
  /** From the fault until every replica ran again, ms. */
  readonly faultToRunningMs: number | null;
  /** Writes of a second writer that the backend accepted, stale writes before the new writer's first one included. */
  readonly doubleWrites: number;
}

/** The last line of a run. */
export interface Summary extends Outcome {
  readonly kind: 'summary';
  readonly scenario: string;
  readonly ok: boolean;
  /** Expectations that the run did not meet. */
  readonly problems: readonly string[];
}
