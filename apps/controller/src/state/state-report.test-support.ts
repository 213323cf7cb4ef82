import type { AttachmentState, NodeReport, StateReport } from '@reattach/status-page';

/** 2026-01-01T00:00:00Z. */
export const AS_OF_MS = 1_767_225_600_000;

/** `pv-a` of claim `default/data-a` on `node-a`, which has been NotReady for a minute and silent for 45 s. */
export function attachmentState(overrides: Partial<AttachmentState> = {}): AttachmentState {
  return {
    volumeAttachment: 'va-a',
    persistentVolume: 'pv-a',
    volumeHandle: 'handle-a',
    claim: { namespace: 'default', name: 'data-a' },
    node: 'node-a',
    nodeState: 'not-ready',
    backend: 'backend-a',
    evidence: {
      kind: 'silent',
      detail: 'nothing came from 10.0.0.11 for 60.0 s while 10.0.0.12 was live',
      observedAtMs: AS_OF_MS - 500,
      silentSinceMs: AS_OF_MS - 45_000,
      lastActivityMs: AS_OF_MS - 60_000,
    },
    fence: { kind: 'open' },
    rule: 'mode-observe',
    decision: 'hold',
    reason: 'dry-run',
    why: 'Mode is observe; mode fence would release',
    sinceMs: AS_OF_MS - 30_000,
    ...overrides,
  };
}

export function nodeReport(overrides: Partial<NodeReport> = {}): NodeReport {
  return {
    name: 'node-a',
    uid: 'uid-a',
    state: 'not-ready',
    sinceMs: AS_OF_MS - 60_000,
    addresses: ['10.0.0.11'],
    attachments: 1,
    fences: [],
    ...overrides,
  };
}

/** A report of these attachments, in mode observe, with everything else in order. */
export function stateReport(
  attachments: readonly AttachmentState[] = [attachmentState()],
  overrides: Partial<StateReport> = {},
): StateReport {
  const byVerdict: Record<string, number> = {};
  const heldByReason: Record<string, number> = {};
  for (const { decision, reason } of attachments) {
    byVerdict[decision] = (byVerdict[decision] ?? 0) + 1;
    if (reason !== undefined) heldByReason[reason] = (heldByReason[reason] ?? 0) + 1;
  }
  return {
    asOfMs: AS_OF_MS,
    version: '1.2.3',
    mode: 'observe',
    attacher: 'rds.csi.srvlab.io',
    identity: 'reattach-0',
    leading: true,
    holdReasons: {},
    cache: { synced: true, freshAsOfMs: AS_OF_MS - 1_000, detail: 'oldest cache is pods, 1 s old' },
    backends: [
      {
        name: 'backend-a',
        connected: true,
        detail: 'RouterOS 7.24.2',
        readAtMs: AS_OF_MS - 500,
        liveHosts: 2,
        enforcement: { kind: 'enforced' },
        fences: [],
      },
    ],
    nodes: [nodeReport(), nodeReport({ name: 'node-b', state: 'ready', attachments: 0 })],
    counts: {
      attachments: attachments.length,
      ready: attachments.filter(({ nodeState }) => nodeState === 'ready').length,
      byVerdict,
      heldByReason,
      blocked: 0,
    },
    attachments,
    ...overrides,
  };
}
