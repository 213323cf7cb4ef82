import type { AuditRecord } from '../audit-record.ts';
import type { AttachmentState, StateReport } from '../state-report.ts';

/** A made-up cluster for the status page: `node-0` and following are lost, everything on them is held or waits. */
export interface SampleOptions {
  readonly nodes: number;
  readonly attachments: number;
  readonly lostNodes: number;
  readonly nowMs: number;
}

type NodeReport = StateReport['nodes'][number];

/** The whole report; the controller leaves ready nodes' attachments out when only lost ones are asked for. */
export function sampleReport({ nodes, attachments, lostNodes, nowMs }: SampleOptions): StateReport {
  const all = Array.from({ length: attachments }, (_, index) =>
    sampleAttachment(index, nodes, index % nodes < lostNodes, nowMs),
  );
  const held = all.filter(({ decision }) => decision === 'hold');
  const waiting = all.filter(({ decision }) => decision === 'wait');
  return {
    asOfMs: nowMs,
    version: '0.3.0',
    mode: 'fence',
    attacher: 'rds.csi.srvlab.io',
    identity: 'reattach-7d9c5b8f6-x2x9k',
    leading: true,
    clusterName: 'production-east',
    runbookUrl: 'https://runbook.example.org/reattach',
    holdReasons: Object.fromEntries(
      held.map(({ reason = '' }) => [reason, 'the backend cannot prove that the node is silent']),
    ),
    cache: { synced: true, freshAsOfMs: nowMs - 800, detail: 'all fresh' },
    lastPass: {
      reconcileId: `4c1d22aa-${Math.floor(nowMs / 2_000)}`,
      reasons: ['deadline'],
      startedAtMs: nowMs - 1_200,
      durationMs: 14,
      result: 'ok',
    },
    backends: [
      {
        name: 'east',
        connected: true,
        detail: 'RouterOS 7.20.6, read by json',
        readAtMs: nowMs - 1_200,
        liveHosts: nodes - lostNodes,
        enforcement: { kind: 'enforced' },
        fences: [],
      },
      {
        name: 'west',
        connected: true,
        detail: 'RouterOS 7.20.6, read by json',
        readAtMs: nowMs - 1_300,
        liveHosts: 3,
        enforcement: {
          kind: 'not-enforced',
          detail: 'the drop rule leaves out export port 4421',
          fix: '/ip/firewall/raw/set [find where chain=prerouting and action=drop and src-address-list=reattach-fenced] dst-port=4420,4421',
        },
        fences: [
          {
            id: '9f3a0c11',
            nodeName: `node-${nodes - 1}`,
            addresses: ['10.0.7.1'],
            fencedAtMs: nowMs - 5_400_000,
            seenSinceMs: nowMs - 5_400_000,
          },
        ],
      },
    ],
    nodes: Array.from({ length: nodes }, (_, index) => sampleNode(index, nodes, lostNodes, all, nowMs)),
    counts: {
      attachments,
      ready: attachments - held.length - waiting.length,
      byVerdict: {
        keep: attachments - held.length - waiting.length,
        hold: held.length,
        wait: waiting.length,
        fence: 0,
        release: 0,
      },
      heldByReason: held.length > 0 ? { 'storage-unknown': held.length } : {},
      blocked: 0,
    },
    attachments: all,
  };
}

/** What `?attachments=lost` leaves in. */
export function lostOnly(report: StateReport): StateReport {
  return {
    ...report,
    attachments: report.attachments.filter(
      ({ nodeState, decision }) => nodeState !== 'ready' || decision === 'hold',
    ),
  };
}

/** Two incidents: one of an hour ago, one of last week. */
export function sampleRecords(nowMs: number): readonly AuditRecord[] {
  return [8 * 86_400_000, 3_600_000 / 2].flatMap((agoMs, incident): AuditRecord[] => {
    const atMs = nowMs - agoMs;
    const node = `node-${incident + 7}`;
    const base = { node, reconcileID: `r-${incident}`, backend: 'east' } as const;
    return [
      {
        ...base,
        atMs,
        kind: 'fenced',
        why: 'Node has been not ready for 30.0 s; 10.0.0.9 spoke 2.1 s before the reading',
        rule: 'mode-fence',
      },
      ...[0, 1].map(
        (index): AuditRecord => ({
          ...base,
          atMs: atMs + 12_000,
          kind: 'pod-deleted',
          pod: { namespace: 'shop', name: `orders-${index}` },
          rule: 'mode-fence',
          why: 'Node has been not ready for 42.0 s; fence 3c9e0f12 is effective',
        }),
      ),
      ...[0, 1].map(
        (index): AuditRecord => ({
          ...base,
          atMs: atMs + 12_000,
          kind: 'released',
          volumeAttachment: `csi-${incident}-${index}`,
          persistentVolume: `pvc-${incident}-${index}`,
          claim: { namespace: 'shop', name: `data-orders-${index}` },
          rule: 'mode-fence',
          strategy: 'in-use',
          lostForMs: 42_000,
          why: 'Node has been not ready for 42.0 s; fence 3c9e0f12 is effective; nothing came from 10.0.0.9 for 11.8 s while 10.0.0.5 was live',
        }),
      ),
    ];
  });
}

function sampleAttachment(index: number, nodes: number, isLost: boolean, nowMs: number): AttachmentState {
  const name = `pvc-${String(index).padStart(8, '0')}`;
  const base = {
    volumeAttachment: `csi-${name}`,
    persistentVolume: name,
    volumeHandle: name,
    claim: { namespace: 'shop', name: `data-orders-${index}` },
    node: `node-${index % nodes}`,
    backend: index % 5 === 0 ? 'west' : 'east',
  };
  if (!isLost) {
    return {
      ...base,
      nodeState: 'ready',
      evidence: {
        kind: 'unknown',
        reason: 'no-storage-reading',
        detail: 'The backend was not asked about this node',
        observedAtMs: nowMs,
      },
      fence: { kind: 'unknown', why: 'The backend was not read' },
      rule: 'node-lost',
      decision: 'keep',
      why: 'Node is ready',
    };
  }
  if (Math.floor(index / nodes) % 3 === 0) {
    return {
      ...base,
      nodeState: 'not-ready',
      evidence: {
        kind: 'silent',
        detail: 'nothing came from 10.0.0.1 for 34.0 s while 10.0.0.5 was live',
        observedAtMs: nowMs - 1_200,
        silentSinceMs: nowMs - 19_000,
      },
      fence: { kind: 'quiescing', why: 'The backend may still hold commands of the node', id: '77aa01bc' },
      rule: 'mode-fence',
      decision: 'wait',
      why: 'The backend may still hold commands of the node',
      untilMs: nowMs + 6_000,
      sinceMs: nowMs - 4_000,
    };
  }
  return {
    ...base,
    nodeState: 'not-ready',
    evidence: {
      kind: 'unknown',
      reason: 'never-seen-live',
      detail: 'no session of 10.0.0.1 was ever seen',
      observedAtMs: nowMs - 1_200,
    },
    fence: { kind: 'open' },
    rule: 'storage-known',
    decision: 'hold',
    reason: 'storage-unknown',
    why: 'no session of 10.0.0.1 was ever seen (never-seen-live)',
    sinceMs: nowMs - 252_000,
  };
}

function sampleNode(
  index: number,
  nodes: number,
  lostNodes: number,
  attachments: readonly AttachmentState[],
  nowMs: number,
): NodeReport {
  const isLost = index < lostNodes;
  const isFenced = index === nodes - 1;
  return {
    name: `node-${index}`,
    uid: `uid-${index}`,
    state: isLost ? 'not-ready' : 'ready',
    ...(isLost && { sinceMs: nowMs - 262_000 }),
    addresses: [`10.0.${Math.floor(index / 250)}.${(index % 250) + 1}`],
    attachments: Math.ceil((attachments.length - index) / nodes),
    fences: isFenced
      ? [
          {
            backend: 'west',
            id: '9f3a0c11',
            fencedAtMs: nowMs - 5_400_000,
            cleanup: 'stays: Node is ready but not proved clean: it has not booted since the fence',
          },
        ]
      : [],
  };
}
