import type { ClusterEvent } from '@reattach/core';
import { FakeClock, RecordingLogger } from '@reattach/core/testing';
import { KubeApiError } from '@reattach/k8s-api';
import { describe, expect, it } from 'vitest';
import { type Answer, refusal, ScriptedKubeApi } from '../test/scripted-kube-api.ts';
import { KubeEventRecorder } from './kube-event-recorder.ts';

const MINUTE_MS = 60_000;
const EVENTS = '/apis/events.k8s.io/v1/namespaces/db/events';

function held(changes: Partial<ClusterEvent> = {}): ClusterEvent {
  return {
    type: 'Warning',
    reason: 'ReleaseHeld',
    message: 'node-a still writes',
    regarding: { kind: 'PersistentVolumeClaim', namespace: 'db', name: 'data-0', uid: 'pvc-uid' },
    ...changes,
  };
}

function heldClaim(name: string): ClusterEvent {
  return held({ regarding: { kind: 'PersistentVolumeClaim', namespace: 'db', name } });
}

function setUp(...answers: Answer[]) {
  const api = new ScriptedKubeApi(...answers);
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const controller = new AbortController();
  const recorder = new KubeEventRecorder({
    api,
    clock,
    reportingInstance: 'reattach-1',
    random: () => 0.5,
    logger,
  });
  const record = (event = held()) => recorder.record(event, controller.signal);
  return { api, clock, logger, controller, record };
}

describe('KubeEventRecorder', () => {
  it('writes an Event about a claim into its namespace', async () => {
    const { api, record } = setUp({});
    await record();
    expect(api.calls).toEqual([`POST ${EVENTS}`]);
    expect(api.requests[0]?.body).toEqual({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'data-0.19b76daa80080000000', namespace: 'db' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'reattach.srvlab.io',
      reportingInstance: 'reattach-1',
      action: 'HoldAttachment',
      reason: 'ReleaseHeld',
      regarding: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        namespace: 'db',
        name: 'data-0',
        uid: 'pvc-uid',
      },
      note: 'node-a still writes',
      type: 'Warning',
    });
  });

  it('writes an Event about a Node into the namespace default', async () => {
    const { api, record } = setUp({});
    await record(held({ regarding: { kind: 'Node', namespace: '', name: 'node-a', uid: 'n1' } }));
    expect(api.calls).toEqual(['POST /apis/events.k8s.io/v1/namespaces/default/events']);
    expect(api.requests[0]?.body).toMatchObject({
      metadata: { namespace: 'default' },
      regarding: { kind: 'Node', name: 'node-a', uid: 'n1' },
    });
    expect(api.requests[0]?.body).not.toHaveProperty('regarding.namespace');
  });

  it('writes an Event about a Pod into its namespace', async () => {
    const { api, record } = setUp({});
    const regarding = { kind: 'Pod', namespace: 'reattach', name: 'reattach-0' } as const;
    await record(held({ reason: 'StorageDisconnected', regarding }));
    expect(api.calls).toEqual(['POST /apis/events.k8s.io/v1/namespaces/reattach/events']);
    expect(api.requests[0]?.body).toMatchObject({ regarding });
  });

  it('counts repetitions and writes the count after 5 min, 10 more, 20 more and then every 30', async () => {
    const { api, clock, record } = setUp({});
    await record();
    for (let minute = 1; minute < 5; minute++) {
      await clock.advance(MINUTE_MS);
      await record();
    }
    expect(api.calls).toHaveLength(1);

    api.expect({});
    await clock.advance(MINUTE_MS);
    await record();
    await record();
    expect(api.calls).toEqual([`POST ${EVENTS}`, `PATCH ${EVENTS}/data-0.19b76daa80080000000`]);
    expect(api.requests[1]).toMatchObject({
      contentType: 'application/merge-patch+json',
      body: { series: { count: 6, lastObservedTime: '2026-01-01T00:05:00.000000Z' } },
    });

    const writtenAfterMin: number[] = [];
    for (let minute = 6; minute <= 100; minute++) {
      const before = api.calls.length;
      api.expect({});
      await clock.advance(MINUTE_MS);
      await record();
      if (api.calls.length > before) writtenAfterMin.push(minute);
    }
    expect(writtenAfterMin).toEqual([15, 35, 65, 95]);
    expect(api.requests[2]?.body).toMatchObject({ series: { count: 17 } });
  });

  it('writes one Event for repetitions that arrive while the first is being written', async () => {
    const { promise, resolve } = Promise.withResolvers<object>();
    const { api, record } = setUp(() => promise);
    const first = record();
    await record();
    resolve({});
    await first;
    expect(api.calls).toHaveLength(1);
  });

  it.each([
    ['message', held({ message: 'the backend cannot be reached' })],
    ['reason', held({ reason: 'StaleAttachmentReleased' })],
    ['object', held({ regarding: { kind: 'PersistentVolumeClaim', namespace: 'db', name: 'data-1' } })],
    [
      'uid',
      held({ regarding: { kind: 'PersistentVolumeClaim', namespace: 'db', name: 'data-0', uid: 'u2' } }),
    ],
  ])('writes another Event for another %s', async (_what, event) => {
    const { api, record } = setUp({}, {});
    await record();
    await record(event);
    expect(api.calls).toEqual([`POST ${EVENTS}`, `POST ${EVENTS}`]);
  });

  it('writes a new Event when the API server has dropped the old one', async () => {
    const { api, clock, record } = setUp({}, refusal('NOT_FOUND'), {}, {});
    await record();
    await clock.advance(61 * MINUTE_MS);
    await record();
    expect(api.requests.map((request) => request.method)).toEqual(['POST', 'PATCH', 'POST']);
    expect(api.requests[2]?.body).not.toHaveProperty('series');
    await clock.advance(5 * MINUTE_MS);
    await record();
    expect(api.requests[3]).toMatchObject({ method: 'PATCH', body: { series: { count: 2 } } });
  });

  it('bounds new Events of one object to 25 and one more per 5 min, whatever they say', async () => {
    const { api, clock, record } = setUp(...Array.from({ length: 40 }, () => ({})));
    for (let number = 0; number < 100; number++) await record(held({ message: `attempt ${number}` }));
    expect(api.calls).toHaveLength(25);

    await record(held({ regarding: { kind: 'PersistentVolumeClaim', namespace: 'db', name: 'data-1' } }));
    expect(api.calls).toHaveLength(26); // another object has a bucket of its own

    await clock.advance(10 * MINUTE_MS);
    for (let number = 100; number < 200; number++) await record(held({ message: `attempt ${number}` }));
    expect(api.calls).toHaveLength(28);
  });

  it('writes an Event that its rate limit dropped once there is room', async () => {
    const { api, clock, record } = setUp(...Array.from({ length: 26 }, () => ({})));
    for (let number = 0; number < 25; number++) await record(held({ message: `attempt ${number}` }));
    await record();
    expect(api.calls).toHaveLength(25);
    await clock.advance(5 * MINUTE_MS);
    await record();
    expect(api.requests[25]?.method).toBe('POST');
  });

  it('never rejects: a failure is logged and the next occurrence is written as new', async () => {
    const { api, logger, record } = setUp(refusal('FORBIDDEN'), {});
    await record();
    expect(logger.lines).toEqual([
      {
        level: 'warn',
        message: 'Event was not written',
        fields: expect.objectContaining({ err: expect.any(KubeApiError), namespace: 'db', name: 'data-0' }),
      },
    ]);
    await record();
    expect(api.calls).toEqual([`POST ${EVENTS}`, `POST ${EVENTS}`]);
  });

  it('keeps counting when a count cannot be written', async () => {
    const { api, clock, logger, record } = setUp({}, refusal('FORBIDDEN'), {});
    await record();
    await clock.advance(5 * MINUTE_MS);
    await record();
    expect(logger.messages('warn')).toEqual(['Event was not written']);
    await record();
    expect(api.calls).toHaveLength(2);
    await clock.advance(5 * MINUTE_MS);
    await record();
    expect(api.requests[2]?.body).toMatchObject({ series: { count: 4 } });
  });

  it('takes its own name that exists already for success', async () => {
    const exists = new KubeApiError('CONFLICT', 'not-applied', 'scripted', {
      status: 409,
      reason: 'AlreadyExists',
    });
    const { api, clock, logger, record } = setUp(refusal('TIMEOUT'), exists);
    const recorded = record();
    await clock.advance(1_000);
    await recorded;
    expect(api.calls).toEqual([`POST ${EVENTS}`, `POST ${EVENTS}`]);
    expect(api.requests[1]?.body).toBe(api.requests[0]?.body);
    expect(logger.messages('warn')).toEqual(['Failed Kubernetes request was scheduled again']);
  });

  it('resolves without a log line when aborted', async () => {
    const { api, controller, logger, record } = setUp();
    controller.abort(new Error('shutting down'));
    await record();
    expect(api.calls).toEqual([]);
    expect(logger.lines).toEqual([]);
  });

  it('keeps notes and names within what the API server accepts', async () => {
    const { api, record } = setUp({}, {});
    await record(held({ message: 'ü'.repeat(600) }));
    expect(api.requests[0]?.body).toMatchObject({ note: 'ü'.repeat(512) });

    const name = `${'a'.repeat(233)}.${'b'.repeat(19)}`; // cut after the dot
    await record(held({ regarding: { kind: 'PersistentVolumeClaim', namespace: 'db', name } }));
    expect(api.requests[1]?.body).toMatchObject({
      metadata: { name: expect.stringMatching(/^a{233}\.19b76daa800[0-9a-f]{8}$/) },
    });
  });

  it('remembers a bounded number of Events and forgets those unused for longest', async () => {
    const { api, clock, record } = setUp(...Array.from({ length: 4_100 }, () => ({})));
    for (let number = 0; number <= 4_096; number++) await record(heldClaim(`data-${number}`));
    expect(api.calls).toHaveLength(4_097);
    await clock.advance(5 * MINUTE_MS);
    await record(heldClaim('data-4096'));
    expect(api.requests.at(-1)?.method).toBe('PATCH');
    await record(heldClaim('data-0'));
    expect(api.requests.at(-1)?.method).toBe('POST');
  });
});
