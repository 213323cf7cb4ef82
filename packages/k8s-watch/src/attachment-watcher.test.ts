import type { NodeFact, TriggerReason, VolumeAttachmentFact } from '@reattach/core';
import { nodeFact, RecordingTelemetry, TEST_ATTACHER, volumeAttachmentFact } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { AttachmentWatcher } from './attachment-watcher.ts';

function reasonsAfterAdd(
  attachment: VolumeAttachmentFact,
  node: NodeFact | undefined,
  hasSynced = true,
): readonly TriggerReason[] {
  const reasons: TriggerReason[] = [];
  const reconciler = { triggerReconcile: (reason: TriggerReason) => void reasons.push(reason) };
  const nodes = { hasSynced, node: () => node };
  new AttachmentWatcher(reconciler, nodes, TEST_ATTACHER).getEventHandlers().onAdd?.(attachment);
  return reasons;
}

describe('AttachmentWatcher', () => {
  const ours = volumeAttachmentFact();

  it.each([
    ['ours, node ready -> nothing', ours, nodeFact(), []],
    ['ours, node not ready -> pass', ours, nodeFact({ ready: false }), ['attachment-changed']],
    ['ours, node gone -> pass', ours, undefined, ['attachment-changed']],
    ['of another attacher, node gone -> nothing', { ...ours, attacher: 'other' }, undefined, []],
  ])('%s', (_name, attachment, node, expected) => {
    expect(reasonsAfterAdd(attachment, node)).toEqual(expected);
  });

  it('takes a missing node for nothing before the caches have synced', () => {
    expect(reasonsAfterAdd(ours, undefined, false)).toEqual([]);
  });

  it('asks in a span that names attachment and node', () => {
    using telemetry = new RecordingTelemetry();
    reasonsAfterAdd(ours, undefined);
    expect(telemetry.spans).toMatchObject([
      {
        name: 'notice attachment',
        attributes: {
          'k8s.node.name': 'node-a',
          'reattach.volume_attachment.name': ours.name,
          'reattach.trigger.reason': 'attachment-changed',
        },
        ended: true,
      },
    ]);
  });
});
