import type { Fence } from '../model/fence-record.ts';
import type { Policy } from '../model/policy.ts';
import type { StorageNode } from '../model/storage-query.ts';
import type { Clock } from '../ports/clock.ts';
import type { FenceRecords } from '../ports/fence-records.ts';
import type { ClusterActions, ClusterReader, Leadership } from '../ports/ports.ts';
import type { AttachmentView } from '../view/cluster-view.ts';
import type { DeletedPods } from './deleted-pods.ts';
import type { DetachRequests } from './detach-requests.ts';
import type { Effect, LostDecision } from './effect.ts';
import type { ReleaseVerdicts } from './release-verdicts.ts';
import type { WorkInFlight } from './work-in-flight.ts';

/** Most nodes with work in flight at a time. */
export const MAX_NODES_AT_ONCE = 8;

/** Most writes for one node in flight at a time. */
export const MAX_WRITES_AT_ONCE = 8;

/** Fences and releases in flight, by key. */
export type NodeWork = WorkInFlight<readonly Effect[]>;

/** What `execute()` needs. */
export interface ExecutePorts {
  readonly cluster: Pick<ClusterReader, 'podsOnNode'>;
  readonly actions: ClusterActions;
  readonly leadership: Leadership;
  readonly clock: Clock;
  readonly inFlight: NodeWork;
  /** Keys for which earlier passes had no room. They start first, in this order: the one that has waited longest leads. */
  readonly deferred?: ReadonlySet<string> | undefined;
  /** The lost nodes as the backends know them, by name. */
  readonly storageNodes: ReadonlyMap<string, StorageNode>;
  readonly requests: DetachRequests;
  readonly deletedPods: DeletedPods;
  /** Called before the first write that takes something from a node. */
  readonly progress: { beginRelease(nodeName: string): void };
  /** The attachments at every backend. */
  readonly attachments: readonly AttachmentView[];
  readonly verdicts: ReleaseVerdicts;
  /** Fences at the backend of the decisions, in the reading they depend on. */
  readonly fences: readonly Fence[];
  /** Written before a backend is changed. Absent: the watch over fences ends with the process. */
  readonly fenceRecords?: FenceRecords;
  /** @see FenceOwner */
  readonly clusterId?: string | undefined;
  /** A new name for a fence: 8 hexadecimal digits. */
  readonly newFenceId: () => string;
  readonly policy: Policy;
}

/** The decisions about one node. */
export interface NodePlan {
  readonly decisions: readonly [LostDecision, ...LostDecision[]];
  readonly nowMs: number;
  readonly ports: ExecutePorts;
  readonly signal: AbortSignal;
}
