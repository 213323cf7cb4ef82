import { SpanStatusCode } from '@opentelemetry/api';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { PassFixture } from '../../test/pass-fixture.ts';
import { RecordingTelemetry } from '../testing/recording-telemetry.ts';

// One for the whole file: a tracer asks for its provider once.
const telemetry = new RecordingTelemetry();
beforeEach(() => void (telemetry.spans.length = 0));
afterAll(() => telemetry[Symbol.dispose]());

const spanOf = (name: string) => telemetry.spans.find((span) => span.name === name);

describe('inNodeSpan', () => {
  it('carries the evidence of a release, and ends', async () => {
    await new PassFixture().run();
    expect(spanOf('release node')).toMatchObject({ status: undefined, ended: true });
    expect(spanOf('release node')?.attributes).toEqual({
      'k8s.node.name': 'node-a',
      'k8s.node.uid': 'uid-of-node-a',
      'reattach.node.state': 'not-ready',
      'reattach.node.lost_since': '2025-12-31T23:59:00.000Z',
      'reattach.storage.backend': 'backend-a',
      'reattach.evidence': 'silent',
      'reattach.evidence.detail': 'scripted for node-a',
      'reattach.evidence.observed_at': '2026-01-01T00:00:00.000Z',
      'reattach.evidence.last_activity': '2025-12-31T23:59:00.000Z',
      'reattach.evidence.silent_since': '2025-12-31T23:59:15.000Z',
      'reattach.fence.state': 'effective',
      'reattach.fence.id': 'fence-0',
      'reattach.decision.rule': 'mode-fence',
      'reattach.decision.why': 'Node has been NotReady for 60.0 s; fence effective: quiesced (fence fence-0)',
      'reattach.volumes': ['pv-a'],
    });
  });

  it('names the fence a release rests on', async () => {
    const f = PassFixture.unfenced();
    await f.run();
    expect(spanOf('fence node')).toMatchObject({
      attributes: { 'reattach.decision.rule': 'mode-fence' },
      ended: true,
    });
    await f.clock.advance(50);
    await f.run();
    expect(spanOf('release node')?.attributes['reattach.fence.id']).toBe('fence-1');
  });

  it('names the uid of a Node that is gone while it is remembered, and none after that', async () => {
    for (const forgotten of [false, true]) {
      const f = new PassFixture();
      f.cluster.removeNode('node-a', { forgotten });
      f.actions.removeNode('node-a');
      await f.run();
      await f.clock.advance(30_000);
      await f.run();
    }
    const spans = telemetry.spans.filter(({ name }) => name === 'release node');
    expect(spans).toMatchObject([
      { attributes: { 'k8s.node.uid': 'uid-of-node-a' } },
      { attributes: { 'k8s.node.name': 'node-a', 'reattach.node.state': 'gone' } },
    ]);
    expect(spans[1]?.attributes).not.toHaveProperty('k8s.node.uid');
  });

  it('says what a failure failed with', async () => {
    const f = new PassFixture();
    f.actions.before = ({ kind }) => {
      if (kind === 'forceDeletePod') throw Object.assign(new Error('refused'), { code: 'FORBIDDEN' });
    };
    await f.run();
    expect(spanOf('release node')).toMatchObject({
      attributes: { 'error.type': 'FORBIDDEN' },
      status: { code: SpanStatusCode.ERROR },
      ended: true,
    });
  });

  it('ends when the pass is aborted', async () => {
    const f = new PassFixture();
    f.actions.before = () => f.abort.abort(new Error('shutting down'));
    await expect(f.run()).rejects.toThrow('shutting down');
    expect(spanOf('release node')).toMatchObject({ status: undefined, ended: true });
  });
});
