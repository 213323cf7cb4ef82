import type { StateReport } from '@reattach/status-page';
import { describe, expect, it } from 'vitest';
import { AS_OF_MS, attachmentState, nodeReport, stateReport } from '../state/state-report.test-support.ts';
import { explainText } from './explain.ts';
import { findSubject } from './find-subject.ts';
import { plainStyle } from './style.ts';

function explain(report: StateReport, name: string): string {
  const subject = findSubject(name, report);
  if (!subject) throw new Error(`nothing is known of ${name}`);
  return explainText(subject, report, plainStyle);
}

describe('findSubject', () => {
  const a = attachmentState();
  const b = attachmentState({
    volumeAttachment: 'va-b',
    persistentVolume: 'pv-b',
    volumeHandle: 'handle-b',
    claim: { namespace: 'other', name: 'data-a' },
    node: 'node-b',
  });
  const report = stateReport([a, b]);

  it.each([
    ['default/data-a', [a], undefined],
    ['other/data-a', [b], undefined],
    ['data-a', [a, b], undefined],
    ['pv-b', [b], undefined],
    ['handle-a', [a], undefined],
    ['va-b', [b], undefined],
    ['node-a', [a], 'node-a'],
  ])('%s', (name, attachments, node) => {
    const subject = findSubject(name, report);
    expect(subject?.attachments).toEqual(attachments);
    expect(subject?.node?.name).toBe(node);
  });

  it('knows nothing of other names', () => {
    expect(findSubject('nonsense', report)).toBeUndefined();
  });
});

describe('explainText', () => {
  it('explains everything, for people', () => {
    expect(explain(stateReport(), 'default/data-a')).toBe(
      `Node node-a has been NotReady for 1 min, since 2025-12-31 23:59:00Z
  known to the backend by 10.0.0.11; 1 attachment of ours

Claim default/data-a (PersistentVolume pv-a, VolumeAttachment va-a)
  attached to node node-a; stored at backend backend-a
  the backend, asked 0.5 s ago, says silent: nothing came from 10.0.0.11 for 60.0 s while 10.0.0.12 was live; last activity 1 min ago
  cut off there: no
How it was decided at 2026-01-01 00:00:00Z, the same for 30 s:
  passed   cache-fresh       the cluster was seen 1.0 s ago, which is recent enough
  passed   attacher-ours     it was attached by rds.csi.srvlab.io, which is ours
  passed   no-mass-failure   1 of 2 nodes is lost: no mass failure
  passed   no-other-actor    no taint says that another controller is recovering the node
  passed   node-lost         the node has been NotReady for 1 min
  passed   no-migration      the volume is in no live migration
  passed   grace-over        its grace is over; the backend has proved it silent for 45 s
  passed   volume-known      PersistentVolume pv-a is ours (handle-a)
  passed   detach-under-way  its VolumeAttachment is not being deleted yet
  passed   addresses-own     no one else claims an address of the node
  passed   storage-known     backend backend-a says silent: nothing came from 10.0.0.11 for 60.0 s while 10.0.0.12 was live
  passed   other-drivers     volumes of other drivers on the node hold nothing back
  decided  mode-observe      hold (dry-run): Mode is observe; mode fence would release
In short: mode is observe; the message says what mode fence would do.
`,
    );
  });

  it('describes attachments that were decided alike once', () => {
    const report = stateReport([
      attachmentState(),
      attachmentState({ volumeAttachment: 'va-b', claim: { namespace: 'default', name: 'data-b' } }),
      attachmentState({ volumeAttachment: 'va-c', why: 'another reason' }),
    ]);
    const text = explain(report, 'node-a');
    expect(text.match(/How it was decided/g)).toHaveLength(2);
    expect(text).toContain('VolumeAttachment va-a)\nClaim default/data-b (');
  });

  it('describes a fence and what becomes of it', () => {
    const fence = { kind: 'quiescing', id: 'f1', why: 'The backend may still hold commands' } as const;
    const fences = [
      { backend: 'backend-a', id: 'f1', fencedAtMs: AS_OF_MS - 5_000, cleanup: 'stays: Node is not ready' },
    ];
    const nodes = [nodeReport({ fences, taintCleanup: 'goes: it has booted' })];
    const text = explain(stateReport([attachmentState({ fence })], { nodes }), 'node-a');
    expect(text).toContain(
      '  fenced at backend backend-a for 5.0 s (fence f1); it stays: Node is not ready\n',
    );
    expect(text).toContain('  our taint on it goes: it has booted\n');
    expect(text).toContain(
      '  cut off there: yes, not yet proved effective (fence f1): The backend may still hold commands\n',
    );
  });

  it('says so when nothing of ours is attached to a node', () => {
    const text = explain(
      stateReport([], { nodes: [nodeReport({ addresses: [], attachments: 0 })] }),
      'node-a',
    );
    expect(text).toContain('no address that the backend knows it by; 0 attachments of ours');
    expect(text).toContain('Nothing of ours is attached to it.');
  });

  it('queries no backend about a ready node', () => {
    const attachment = attachmentState({
      nodeState: 'ready',
      rule: 'node-lost',
      decision: 'keep',
      why: 'Node is ready',
    });
    const { reason: _reason, sinceMs: _since, ...ready } = attachment;
    const text = explain(stateReport([ready]), 'pv-a');
    expect(text).not.toContain('the backend, asked');
    expect(text).toContain('  decided  node-lost        keep: Node is ready\n');
  });
});
