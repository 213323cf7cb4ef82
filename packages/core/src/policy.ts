/** What Reattach may do. `observe`: nothing, only say what it would do. `release`: no write to the box. */
export type Mode = 'observe' | 'release';

/** When losses of many nodes at once are taken for our own problem, not theirs. @see design rule 3, `mass-failure.ts` */
export interface BreakerPolicy {
  /** More lost nodes than this, together with `maxFraction`, open the breaker. Default 1. */
  readonly maxNodes: number;
  /** Share of all nodes, 0 to 1, from which `maxNodes` counts. Default 0.49. */
  readonly maxFraction: number;
  /** More nodes than this lost within `windowMs` open the breaker. Default 3. */
  readonly maxNodesPerWindow: number;
  /** Default 600 000 ms. */
  readonly windowMs: number;
}

/** Everything `decide()` may be configured with. Times in ms. */
export interface Policy {
  readonly mode: Mode;
  /** `spec.attacher` of the VolumeAttachments that are ours. */
  readonly attacher: string;
  /** How long a Node may be NotReady or gone before we act. Default 30 000. */
  readonly gracePeriodMs: number;
  /** The grace while the box proves the node silent. Default 10 000. */
  readonly silentGraceMs: number;
  /** Oldest cache a decision may rest on. Default 120 000. */
  readonly maxCacheAgeMs: number;
  /** How often the box is asked again while a lost node holds attachments. Default 2 000. */
  readonly suspectPollMs: number;
  /** How long external-attacher may take to finish a delete before we say it is stuck. Default 60 000. */
  readonly detachTimeoutMs: number;
  readonly breaker: BreakerPolicy;
}
