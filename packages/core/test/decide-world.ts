import type { NodeFact } from '../src/model/facts.ts';
import type { Fence } from '../src/model/fence-record.ts';
import type { FenceState } from '../src/model/fence-state.ts';
import { ipAddresses } from '../src/model/storage-address.ts';
import type { NodeEvidence, StorageReading } from '../src/model/storage-reading.ts';
import { nodeFact, persistentVolumeFact, volumeAttachmentFact } from '../src/testing/fact-builders.ts';
import { FakeClock } from '../src/testing/fake-clock.ts';
import { FakeStorageBackend } from '../src/testing/fake-storage-backend.ts';
import type { AttachmentView, ClusterView, NodeState } from '../src/view/cluster-view.ts';

export const NOW = 1_767_225_600_000;
export const ADDRESS = 'address-of-node-a';
const LOST_MS = 60_000;

/** What of the world a test wants otherwise; by default `node-a` is NotReady for long, silent, unfenced, `pv-a` attached. */
export interface WorldOptions {
  readonly node?: NodeState;
  readonly evidence?: NodeEvidence;
  /** Default: not fenced. */
  readonly fence?: FenceState;
  readonly attachment?: Partial<AttachmentView['attachment']>;
  readonly view?: Partial<AttachmentView>;
  readonly reading?: Partial<StorageReading>;
  readonly cache?: ClusterView['cache'];
  /** Ready nodes beside `node-a`. Default 4. */
  readonly peers?: number;
  /** Further Ready nodes. */
  readonly others?: readonly NodeFact[];
  readonly recentLosses?: ClusterView['recentLosses'];
  readonly otherAttachers?: readonly string[];
}

export function notReady(lostForMs: number = LOST_MS): NodeState {
  const node = nodeFact({ ready: false });
  return { kind: 'not-ready', name: node.name, node, sinceMs: NOW - lostForMs };
}

export function gone(lostForMs: number = LOST_MS): NodeState {
  return { kind: 'gone', name: 'node-a', sinceMs: NOW - lostForMs };
}

export function leaseStale(lostForMs: number = LOST_MS): NodeState {
  const node = nodeFact();
  return { kind: 'lease-stale', name: node.name, node, sinceMs: NOW - lostForMs, renewTime: 't' };
}

export function ready(): NodeState {
  const node = nodeFact();
  return { kind: 'ready', name: node.name, node };
}

export const live: NodeEvidence = {
  kind: 'live',
  observedAtMs: NOW,
  lastActivityMs: NOW - 1_000,
  detail: 'it talks',
};

export function silentFor(ms: number): NodeEvidence {
  const silentSinceMs = NOW - ms;
  return {
    kind: 'silent',
    observedAtMs: NOW,
    silentSinceMs,
    lastActivityMs: silentSinceMs - 15_000,
    detail: 'silent',
  };
}

export const unknown: NodeEvidence = {
  kind: 'unknown',
  observedAtMs: NOW,
  reason: 'backend-unreachable',
  detail: 'no answer',
};

/** A fence of `node-a` that has stood for long. */
export const FENCE: Fence = {
  id: 'f1',
  nodeName: 'node-a',
  fencedAtMs: NOW - 60_000,
  addresses: ipAddresses([ADDRESS]),
  inForce: ipAddresses([ADDRESS]),
  seenSinceMs: NOW - 60_000,
};

export const OPEN: FenceState = { kind: 'open', addresses: ipAddresses([ADDRESS]) };
export const QUIESCING: FenceState = {
  kind: 'quiescing',
  fence: FENCE,
  untilMs: NOW + 9_000,
  why: 'writes run',
};
export const INEFFECTIVE: FenceState = {
  kind: 'ineffective',
  reason: 'still-writing',
  fence: FENCE,
  why: 'it writes',
};
export const NOT_ENFORCED: FenceState = { kind: 'ineffective', reason: 'not-enforced', why: 'no rule' };
export const EFFECTIVE: FenceState = { kind: 'effective', fence: FENCE, why: 'fence effective: proof' };

export function world(options: WorldOptions = {}): ClusterView {
  const {
    node = notReady(),
    evidence = silentFor(60_000),
    peers = 4,
    fence = OPEN,
    otherAttachers = [],
  } = options;
  const backend = new FakeStorageBackend(new FakeClock());
  const volume = persistentVolumeFact();
  const attachment = volumeAttachmentFact(options.attachment);
  const states = Array.from({ length: peers }, (_, index): NodeState => {
    const other = nodeFact({ name: `other-${index}` });
    return { kind: 'ready', name: other.name, node: other };
  }).concat((options.others ?? []).map((other) => ({ kind: 'ready', name: other.name, node: other })));
  const reading: StorageReading = {
    observedAtMs: NOW,
    evidence: new Map([[node.name, evidence]]),
    fenceStates: new Map(evidence.kind === 'unknown' ? [] : [[node.name, fence]]),
    unattributed: [],
    ...(evidence.kind !== 'unknown' && {
      liveHosts: 2,
      enforcement: { kind: 'enforced' },
      fences: fence.kind === 'open' || !('fence' in fence) || !fence.fence ? [] : [fence.fence],
      volumes: new Set(['handle-of-pv-a']),
    }),
    ...options.reading,
  };
  return {
    cache: options.cache ?? { synced: true, freshAsOfMs: NOW, detail: 'fresh' },
    attachments: [{ attachment, volume, backend, vmMigrating: false, ...options.view }],
    nodes: new Map([node, ...states].map((state) => [state.name, state])),
    storageNodes: new Map(
      node.kind === 'ready'
        ? []
        : [[node.name, { name: node.name, addresses: ipAddresses([ADDRESS]), addressesFrom: 'node' }]],
    ),
    outOfService: new Map(),
    withFencedTaint: [],
    otherAttachers: new Map(otherAttachers.length > 0 ? [[node.name, new Set(otherAttachers)]] : []),
    recentLosses: options.recentLosses ?? new Map(),
    storage: new Map([[backend.name, reading]]),
  };
}
