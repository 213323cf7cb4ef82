import { SpanStatusCode } from '@opentelemetry/api';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { PassFixture } from '../../test/pass-fixture.ts';
import { nodeFact } from '../testing/fact-builders.ts';
import { RecordingTelemetry } from '../testing/recording-telemetry.ts';

// One for the whole file: a tracer asks for its provider once.
const telemetry = new RecordingTelemetry();
beforeEach(() => void (telemetry.spans.length = 0));
afterAll(() => telemetry[Symbol.dispose]());

const observed = () => telemetry.spans.find(({ name }) => name === 'observe storage');

describe('observeInSpan', () => {
  it('carries what the backend said about each suspect', async () => {
    const f = new PassFixture();
    await f.run();
    expect(observed()).toMatchObject({
      attributes: {
        'reattach.storage.backend': 'backend-a',
        'reattach.storage.suspects': 1,
        'reattach.storage.live_hosts': 1,
        'reattach.storage.enforcement': 'enforced',
        'reattach.storage.fences': 1,
      },
      events: [
        {
          name: 'evidence',
          attributes: {
            'k8s.node.name': 'node-a',
            'reattach.evidence': 'silent',
            'reattach.evidence.silent_since': '2025-12-31T23:59:15.000Z',
          },
        },
      ],
      status: undefined,
      ended: true,
    });
  });

  it('is in error when the backend could not be read, and says why', async () => {
    const f = new PassFixture();
    f.backend.reachable = false;
    await f.run();
    expect(observed()).toMatchObject({
      attributes: { 'error.type': 'backend-unreachable' },
      events: [
        { attributes: { 'reattach.evidence': 'unknown', 'reattach.evidence.reason': 'backend-unreachable' } },
      ],
      status: { code: SpanStatusCode.ERROR },
      ended: true,
    });
  });

  it('carries the evidence of no more than 32 suspects, and how many there were', async () => {
    const f = new PassFixture();
    for (let index = 0; index < 40; index++) {
      f.setNode(nodeFact({ name: `lost-${index}`, ready: false }));
      f.attach(`pv-${index}`, `lost-${index}`, `pod-${index}`);
    }
    await f.run();
    expect(observed()?.attributes['reattach.storage.suspects']).toBe(41);
    expect(observed()?.events).toHaveLength(32);
  });

  it('ends though the backend is sick', async () => {
    const f = new PassFixture();
    f.backend.before = () => {
      throw new Error('a bug');
    };
    await expect(f.run()).rejects.toThrow('a bug');
    expect(telemetry.spans).toMatchObject([
      { name: 'observe storage', attributes: { 'reattach.storage.backend': 'backend-a' }, ended: true },
    ]);
  });
});
