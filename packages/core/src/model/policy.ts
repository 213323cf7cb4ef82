/**
 * What Reattach may do. `observe`: nothing, only say what mode `fence` would do. `fence`: cut the node off at the backend,
 * then release. Nothing is released without a fence, because silence cannot tell death from a partition that heals.
 */
export const MODES = ['observe', 'fence'] as const;

/** @see MODES */
export type Mode = (typeof MODES)[number];

/**
 * How volumes leave a dead node. `in-use`: take them out of `status.volumesInUse`; needs the Node object. `delete`: delete
 * their VolumeAttachments. `out-of-service`: taint the Node; touches every driver on it. `auto`: `in-use` while the Node
 * exists, `delete` when it is gone. What has no effect within `detachTimeoutMs` falls back to `delete`.
 * @see design section 5
 */
export const STRATEGIES = ['auto', 'in-use', 'delete', 'out-of-service'] as const;

/** @see STRATEGIES */
export type Strategy = (typeof STRATEGIES)[number];

/**
 * What volumes of other drivers on the lost node mean for ours. `hold`: nothing of the node is released. `release-ours`: a pod
 * that uses only our volumes is deleted, one that also uses another volume is held, because nothing fences that one.
 * `release-pods`: such a pod is deleted as well.
 */
export const OTHER_DRIVERS = ['hold', 'release-ours', 'release-pods'] as const;

/** @see OTHER_DRIVERS */
export type OtherDrivers = (typeof OTHER_DRIVERS)[number];

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

/** Suspecting a node before Kubernetes marks it NotReady. @see design section 6 */
export interface EarlyDetectionPolicy {
  readonly enabled: boolean;
  /** A kubelet's Lease not renewed for this long makes its node suspect. Default 20 000 ms. */
  readonly leaseStaleMs: number;
}

/** Which nodes may be fenced, and how often fences are read. What makes a fence effective is the backend's to judge. */
export interface FencePolicy {
  /** How often the backend is read while a fence exists and no node is suspect: its node may return. Default 10 000 ms. */
  readonly pollMs: number;
  /** Nodes that carry all of these labels are never fenced: those that boot from the backend. Empty: none. */
  readonly neverFence: Readonly<Record<string, string>>;
}

/** An address that belongs to something other than a node. */
export interface ReservedAddress {
  readonly address: string;
  /** Whose it is, for messages: `backend nas-1`. */
  readonly claimant: string;
}

/** Which addresses may be fenced. */
export interface AddressPolicy {
  /** Ranges in which storage addresses of nodes lie; empty: anywhere. */
  readonly allowedCidrs: readonly string[];
  /** Addresses that are never fenced: of backends, the API server and this controller. */
  readonly reserved: readonly ReservedAddress[];
}

/** Everything `decide()` may be configured with. Times in ms. */
export interface Policy {
  readonly mode: Mode;
  /** `spec.attacher` of the VolumeAttachments that are ours. */
  readonly attacher: string;
  /** How long a Node may be NotReady or gone before we act. Default 30 000. */
  readonly gracePeriodMs: number;
  /** The grace while the backend proves the node silent. Default 10 000. */
  readonly silentGraceMs: number;
  /** Oldest cache a decision may rest on. Default 120 000. */
  readonly maxCacheAgeMs: number;
  /** How often the backend is asked again while a lost node holds attachments. Default 2 000. */
  readonly suspectPollMs: number;
  /** How long a detach may take before the next way is tried, or before external-attacher counts as stuck. Default 60 000. */
  readonly detachTimeoutMs: number;
  readonly breaker: BreakerPolicy;
  readonly strategy: Strategy;
  /** Default: `hold` under strategy `out-of-service`, `release-ours` otherwise. */
  readonly otherDrivers: OtherDrivers;
  readonly fence: FencePolicy;
  readonly addresses: AddressPolicy;
  readonly earlyDetection: EarlyDetectionPolicy;
}
