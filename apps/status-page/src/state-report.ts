import type { Decision, Enforcement, Fence, FenceState, HoldReason, Mode, NodeState } from '@reattach/core';

/** Everything people ask first: what is attached where, what was decided about it, and why. Times are epoch ms. */
export interface StateReport {
  readonly asOfMs: number;
  readonly version: string;
  readonly mode: Mode;
  /** The attacher whose attachments are ours; the report is about these alone. */
  readonly attacher: string;
  /** Of the replica that answers; empty for a command line without a controller. */
  readonly identity: string;
  /** Only a leader asks the backends about lost nodes, and acts. Without leader election always true. */
  readonly leading: boolean;
  /** Name of the replica that leads, when it is known. */
  readonly leader?: string;
  /** Name of the cluster, for people who have several pages open. */
  readonly clusterName?: string;
  /** Where the runbook is; `#` and a hold reason lead to its entry. */
  readonly runbookUrl?: string;
  /** What each hold reason of `counts` means, in words. */
  readonly holdReasons: Readonly<Record<string, string>>;
  readonly cache: { readonly synced: boolean; readonly freshAsOfMs: number; readonly detail: string };
  /** Absent before the first pass of this process has ended. */
  readonly lastPass?: PassState;
  readonly backends: readonly BackendState[];
  readonly nodes: readonly NodeReport[];
  readonly counts: StateCounts;
  readonly attachments: readonly AttachmentState[];
}

export interface PassState {
  readonly reconcileId: string;
  readonly reasons: readonly string[];
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly result: string;
}

export interface BackendState {
  readonly name: string;
  readonly connected: boolean;
  /** Version and dialect, or why it is not connected. */
  readonly detail: string;
  readonly readAtMs?: number;
  readonly liveHosts?: number;
  /** Addresses of live sessions that belong to no known node. Absent: none. */
  readonly unattributed?: readonly string[];
  /** Whether the backend acts on fences. */
  readonly enforcement?: Enforcement;
  readonly fences: readonly BackendFence[];
}

/** A fence as the backend shows it; its addresses as text. */
export type BackendFence = Omit<Fence, 'addresses' | 'inForce'> & { readonly addresses: readonly string[] };

/** `ready`, or how the node is lost. */
export type NodeStateKind = NodeState['kind'];

export interface NodeReport {
  readonly name: string;
  readonly uid?: string;
  readonly state: NodeStateKind;
  readonly sinceMs?: number;
  readonly addresses: readonly string[];
  /** How many of ours are on it. */
  readonly attachments: number;
  readonly fences: readonly NodeFence[];
  /** What becomes of our taint on it, and why; absent: it carries none, or none that could go. */
  readonly taintCleanup?: string;
}

export interface NodeFence {
  readonly backend: string;
  readonly id: string;
  readonly fencedAtMs: number;
  /** What becomes of it, and why: `stays: ...` or `goes: ...`. */
  readonly cleanup?: string;
}

export interface StateCounts {
  readonly attachments: number;
  /** Of them on nodes that are ready. */
  readonly ready: number;
  readonly byVerdict: Readonly<Record<string, number>>;
  /** Of attachments on lost nodes. */
  readonly heldByReason: Readonly<Record<string, number>>;
  /** Attachments on ready nodes that could not be released if their node were lost now: the view is stale, or too many nodes are lost. */
  readonly blocked: number;
}

export interface AttachmentState {
  readonly volumeAttachment: string;
  readonly persistentVolume?: string;
  readonly volumeHandle?: string;
  readonly claim?: { readonly namespace: string; readonly name: string };
  /** Pods on that node that use the claim. Absent: none, or the node is ready. */
  readonly pods?: readonly { readonly namespace: string; readonly name: string }[];
  readonly node: string;
  readonly nodeState: NodeStateKind;
  readonly backend?: string;
  readonly evidence: {
    readonly kind: 'live' | 'silent' | 'unknown';
    readonly detail: string;
    readonly observedAtMs: number;
    readonly reason?: string;
    readonly lastActivityMs?: number;
    readonly silentSinceMs?: number;
  };
  readonly fence: { readonly kind: FenceState['kind']; readonly why?: string; readonly id?: string };
  readonly rule: string;
  readonly decision: Decision['verdict']['kind'];
  /** Why it is held. */
  readonly reason?: HoldReason;
  readonly why: string;
  /** End of a wait. */
  readonly untilMs?: number;
  /** Since when passes have decided so. */
  readonly sinceMs?: number;
}
