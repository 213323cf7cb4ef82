import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { PassFixture } from '../../test/pass-fixture.ts';
import { nodeFact } from '../testing/fact-builders.ts';
import { RecordingTelemetry } from '../testing/recording-telemetry.ts';

// One for the whole file: a tracer asks for its provider once.
const telemetry = new RecordingTelemetry();
beforeEach(() => void (telemetry.spans.length = 0));
afterAll(() => telemetry[Symbol.dispose]());

const decided = () => telemetry.spans.filter(({ name }) => name === 'decide node');

describe('traceDecisions', () => {
  it('says of each lost node what was decided about its attachments, and why', async () => {
    const f = new PassFixture();
    f.attach('pv-b', 'node-a', 'pod-b');
    f.cluster.removePersistentVolume('pv-b');
    f.backend.setLive('node-a');
    f.backend.enforcement = { kind: 'not-enforced', detail: 'no rule' };
    await f.run();
    const byEvidence = decided().toSorted((a, b) =>
      String(b.attributes['reattach.evidence']).localeCompare(String(a.attributes['reattach.evidence'])),
    );
    expect(byEvidence).toMatchObject([
      {
        attributes: {
          'k8s.node.name': 'node-a',
          'reattach.evidence': 'unknown',
          'reattach.decision': ['hold'],
        },
        events: [
          {
            name: 'decision',
            attributes: {
              'reattach.volume_attachment.name': 'va-pv-b-node-a',
              'k8s.persistentvolume.name': 'pv-b',
              'reattach.decision': 'hold',
              'reattach.hold.reason': 'volume-unknown',
              'reattach.decision.rule': expect.any(String),
              'reattach.decision.why': expect.any(String),
            },
          },
        ],
        ended: true,
      },
      {
        attributes: { 'reattach.evidence': 'live' },
        events: [
          {
            attributes: {
              'k8s.persistentvolume.name': 'pv-a',
              'reattach.hold.reason': 'fence-failed',
              'reattach.decision.rule': 'mode-fence',
            },
          },
        ],
        ended: true,
      },
    ]);
  });

  it('makes one span for a node, however many volumes it holds, and none for nodes that are fine', async () => {
    const f = new PassFixture();
    for (let index = 0; index < 40; index++) f.attach(`pv-${index}`, 'node-a', `pod-${index}`);
    await f.run();
    expect(decided()).toHaveLength(1);
    expect(decided()[0]?.events).toHaveLength(32);
    telemetry.spans.length = 0;
    f.cluster.removeVolumeAttachment('va-pv-a-node-a');
    for (let index = 0; index < 40; index++) f.cluster.removeVolumeAttachment(`va-pv-${index}-node-a`);
    f.setNode(nodeFact({ bootId: 'next' }));
    for (let pass = 0; pass < 3; pass++) await f.run(); // the fence is removed, and read back
    telemetry.spans.length = 0;
    await f.run();
    expect(telemetry.spans).toEqual([]);
  });

  it('makes no more than 32 spans, however many nodes are lost', async () => {
    const f = new PassFixture();
    for (let index = 0; index < 40; index++) {
      f.setNode(nodeFact({ name: `lost-${index}`, ready: false }));
      f.attach(`pv-${index}`, `lost-${index}`, `pod-${index}`);
    }
    await f.run();
    expect(decided()).toHaveLength(32);
  });
});
