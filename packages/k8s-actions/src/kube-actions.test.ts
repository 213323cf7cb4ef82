import {
  FakeClock,
  podFact,
  RecordingLogger,
  TEST_ATTACHER,
  volumeAttachmentFact,
} from '@reattach/core/testing';
import { KubeApiError } from '@reattach/k8s-api';
import { describe, expect, it } from 'vitest';
import { type Answer, refusal, ScriptedKubeApi } from '../test/scripted-kube-api.ts';
import { KubeActions } from './kube-actions.ts';

const pod = podFact();
const attachment = volumeAttachmentFact();
const POD = '/api/v1/namespaces/default/pods/pod-a';
const ATTACHMENT = '/apis/storage.k8s.io/v1/volumeattachments/va-pv-a-node-a';

function rawPod(uid = pod.uid, nodeName: string | undefined = pod.nodeName): object {
  return {
    kind: 'Pod',
    metadata: { name: pod.name, namespace: pod.namespace, uid, resourceVersion: '7' },
    spec: { nodeName, containers: [] },
  };
}

function rawAttachment(
  changes: { uid?: string; attacher?: string; nodeName?: string; deleting?: boolean } = {},
): object {
  const { uid = attachment.uid, attacher = TEST_ATTACHER, nodeName = 'node-a', deleting = false } = changes;
  return {
    kind: 'VolumeAttachment',
    metadata: {
      name: attachment.name,
      uid,
      creationTimestamp: '2026-01-01T00:00:00Z',
      finalizers: ['external-attacher/test-csi-reattach-io'],
      ...(deleting && { deletionTimestamp: '2026-01-01T00:01:00Z' }),
    },
    spec: { attacher, nodeName, source: { persistentVolumeName: 'pv-a' } },
    status: { attached: true },
  };
}

function setUp(...answers: Answer[]) {
  const api = new ScriptedKubeApi(...answers);
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const controller = new AbortController();
  const actions = new KubeActions({ api, clock, attacher: TEST_ATTACHER, random: () => 0.5, logger });
  return { api, clock, logger, controller, signal: controller.signal, actions };
}

describe('KubeActions', () => {
  describe('getNode', () => {
    const rawNode = { kind: 'Node', metadata: { name: 'node-a', uid: 'n1' }, status: {} };

    it('returns the Node as it is at the API server', async () => {
      const { actions, api, signal } = setUp(rawNode);
      expect(await actions.getNode('node-a', signal)).toMatchObject({
        kind: 'present',
        node: { name: 'node-a', uid: 'n1', ready: false },
      });
      expect(api.calls).toEqual(['GET /api/v1/nodes/node-a']);
      expect(api.requests[0]?.query).toBeUndefined(); // a resourceVersion would allow a cached answer
    });

    it("says gone only for the API server's own NotFound", async () => {
      const own = setUp(refusal('NOT_FOUND'));
      expect(await own.actions.getNode('node-a', own.signal)).toEqual({ kind: 'gone' });

      const proxy = setUp(new KubeApiError('NOT_FOUND', 'not-applied', 'no Status object', { status: 404 }));
      await expect(proxy.actions.getNode('node-a', proxy.signal)).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    });

    it.each([
      ['something else', { hello: 'world' }],
      ['another Node', { kind: 'Node', metadata: { name: 'node-b', uid: 'n2' } }],
    ])('refuses %s as an answer', async (_what, raw) => {
      const { actions, signal } = setUp(raw);
      await expect(actions.getNode('node-a', signal)).rejects.toMatchObject({ code: 'MALFORMED' });
    });

    it('does not take an unreachable API server for a missing Node', async () => {
      const unreachable = refusal('UNAVAILABLE');
      const { actions, api, clock, signal } = setUp(unreachable, unreachable, unreachable, unreachable);
      const result = actions.getNode('node-a', signal).catch((err: unknown) => err);
      await clock.advance(10_000);
      expect(await result).toBe(unreachable);
      expect(api.calls).toHaveLength(4);
    });
  });

  describe('forceDeletePod', () => {
    it('deletes the very pod it just read, at once', async () => {
      const { actions, api, signal } = setUp(rawPod(), {});
      expect(await actions.forceDeletePod(pod, signal)).toBe('deleted');
      expect(api.calls).toEqual([`GET ${POD}`, `DELETE ${POD}`]);
      expect(api.requests[1]?.body).toEqual({
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid: pod.uid },
        gracePeriodSeconds: 0,
      });
    });

    it('deletes once a pod that its finalizers keep', async () => {
      const deletion = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['f'] };
      const kept = (deletionGracePeriodSeconds: number) => {
        const raw = rawPod() as { metadata: object };
        return { ...raw, metadata: { ...raw.metadata, ...deletion, deletionGracePeriodSeconds } };
      };
      const { actions, api, signal } = setUp(kept(30), {}, kept(0));
      expect(await actions.forceDeletePod(pod, signal)).toBe('deleted');
      expect(await actions.forceDeletePod(pod, signal)).toBe('deleted');
      expect(api.calls).toEqual([`GET ${POD}`, `DELETE ${POD}`, `GET ${POD}`]);
    });

    it.each([
      ['has another uid', rawPod('uid-2')],
      ['has another uid and no node yet', rawPod('uid-2', '')],
      ['is on another node', rawPod(pod.uid, 'node-b')],
      ['is on no node', rawPod(pod.uid, '')],
    ])('writes nothing when the pod of that name %s', async (_what, raw) => {
      const { actions, api, signal } = setUp(raw);
      expect(await actions.forceDeletePod(pod, signal)).toBe('replaced');
      expect(api.calls).toEqual([`GET ${POD}`]);
    });

    it('writes nothing when the pod is gone, or the answer is not a pod', async () => {
      const gone = setUp(refusal('NOT_FOUND'));
      expect(await gone.actions.forceDeletePod(pod, gone.signal)).toBe('gone');

      const garbage = setUp({ items: [] });
      await expect(garbage.actions.forceDeletePod(pod, garbage.signal)).rejects.toMatchObject({
        code: 'MALFORMED',
        outcome: 'not-applied',
      });
      expect(garbage.api.calls).toEqual([`GET ${POD}`]);
    });

    it('reports a pod that went between read and delete as gone', async () => {
      const { actions, signal } = setUp(rawPod(), refusal('NOT_FOUND'));
      expect(await actions.forceDeletePod(pod, signal)).toBe('gone');
    });

    it('reads again after a conflict and leaves the successor alone', async () => {
      const { actions, api, clock, signal } = setUp(rawPod(), refusal('CONFLICT'), rawPod('uid-2'));
      const result = actions.forceDeletePod(pod, signal);
      await clock.advance(1_000);
      expect(await result).toBe('replaced');
      expect(api.calls).toEqual([`GET ${POD}`, `DELETE ${POD}`, `GET ${POD}`]);
    });

    it('reads again before it repeats a delete whose outcome is unknown', async () => {
      const { actions, api, clock, signal } = setUp(rawPod(), refusal('TIMEOUT'), rawPod('uid-2'));
      const result = actions.forceDeletePod(pod, signal);
      await clock.advance(1_000);
      expect(await result).toBe('replaced');
      expect(api.calls.at(-1)).toBe(`GET ${POD}`);
    });

    it('keeps names with special characters in their place', async () => {
      const { actions, signal } = setUp();
      await expect(async () => actions.forceDeletePod({ ...pod, name: '..' }, signal)).rejects.toThrow(
        TypeError,
      );
    });
  });

  describe('isAttached', () => {
    it.each([
      ['is there', rawAttachment(), true],
      ['is being deleted', rawAttachment({ deleting: true }), false],
      ['is another one', rawAttachment({ uid: 'uid-2' }), false],
      ['is gone', refusal('NOT_FOUND'), false],
    ])('a VolumeAttachment that %s', async (_title, answer, expected) => {
      const { actions, api, signal } = setUp(answer);
      expect(await actions.isAttached(attachment, signal)).toBe(expected);
      expect(api.calls).toEqual([`GET ${ATTACHMENT}`]);
    });

    it('throws when the answer is something else than a VolumeAttachment', async () => {
      const { actions, signal } = setUp({ items: [] });
      await expect(actions.isAttached(attachment, signal)).rejects.toMatchObject({ code: 'MALFORMED' });
    });
  });

  describe('deleteVolumeAttachment', () => {
    it('deletes the very VolumeAttachment it just read, and touches no finalizer', async () => {
      const { actions, api, signal } = setUp(rawAttachment(), {});
      expect(await actions.deleteVolumeAttachment(attachment, signal)).toBe('deleted');
      expect(api.calls).toEqual([`GET ${ATTACHMENT}`, `DELETE ${ATTACHMENT}`]);
      expect(api.requests[1]?.body).toEqual({
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid: attachment.uid },
      });
    });

    it.each([
      ['has another uid', { uid: 'uid-2' }],
      ['belongs to another attacher', { attacher: 'other.csi.example.com' }],
      ['is for another node', { nodeName: 'node-b' }],
    ])('writes nothing when the VolumeAttachment of that name %s', async (_what, changes) => {
      const { actions, api, signal } = setUp(rawAttachment(changes));
      expect(await actions.deleteVolumeAttachment(attachment, signal)).toBe('replaced');
      expect(api.calls).toEqual([`GET ${ATTACHMENT}`]);
    });

    it('writes nothing when it is being deleted', async () => {
      const { actions, api, signal } = setUp(rawAttachment({ deleting: true }));
      expect(await actions.deleteVolumeAttachment(attachment, signal)).toBe('deleted');
      expect(api.calls).toEqual([`GET ${ATTACHMENT}`]);
    });

    it('does not take the deletion of a successor for its own', async () => {
      const { actions, signal } = setUp(rawAttachment({ uid: 'uid-2', deleting: true }));
      expect(await actions.deleteVolumeAttachment(attachment, signal)).toBe('replaced');
    });

    it('writes nothing when it is gone, or the answer is not a VolumeAttachment', async () => {
      const gone = setUp(refusal('NOT_FOUND'));
      expect(await gone.actions.deleteVolumeAttachment(attachment, gone.signal)).toBe('gone');
      const garbage = setUp(rawPod());
      await expect(garbage.actions.deleteVolumeAttachment(attachment, garbage.signal)).rejects.toMatchObject({
        code: 'MALFORMED',
      });
      expect(garbage.api.calls).toHaveLength(1);
    });

    it('passes a refusal on without another attempt', async () => {
      const { actions, api, signal } = setUp(rawAttachment(), refusal('FORBIDDEN'));
      await expect(actions.deleteVolumeAttachment(attachment, signal)).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
      expect(api.calls).toHaveLength(2);
    });
  });

  describe('trouble', () => {
    it.each(['TOO_MANY_REQUESTS', 'SERVER_ERROR', 'UNAVAILABLE', 'TIMEOUT'] as const)(
      'tries again after %s, with growing pauses',
      async (code) => {
        const { actions, api, clock, logger, signal } = setUp(refusal(code), refusal(code), rawPod(), {});
        const result = actions.forceDeletePod(pod, signal);
        await clock.advance(99);
        expect(api.calls).toHaveLength(1);
        await clock.advance(1); // half of 200 ms
        expect(api.calls).toHaveLength(2);
        await clock.advance(199);
        expect(api.calls).toHaveLength(2);
        await clock.advance(1); // half of 400 ms
        expect(await result).toBe('deleted');
        expect(clock.pendingTimers).toBe(0);
        expect(logger.lines.map((line) => line.fields)).toEqual([
          { operation: 'delete pod', attempt: 1, code, delayMs: 100 },
          { operation: 'delete pod', attempt: 2, code, delayMs: 200 },
        ]);
      },
    );

    it('waits as long as the server asks', async () => {
      const { actions, api, clock, signal } = setUp(refusal('TOO_MANY_REQUESTS', 3_000), rawPod(), {});
      const result = actions.forceDeletePod(pod, signal);
      await clock.advance(3_099);
      expect(api.calls).toHaveLength(1);
      await clock.advance(1);
      expect(await result).toBe('deleted');
    });

    it('gives up at once when the server asks for more than the window of 5 s', async () => {
      const { actions, api, clock, signal } = setUp(refusal('TOO_MANY_REQUESTS', 60_000));
      await expect(actions.forceDeletePod(pod, signal)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
      expect(api.calls).toHaveLength(1);
      expect(clock.pendingTimers).toBe(0);
    });

    it('starts no attempt after the window, however few there were', async () => {
      const { actions, api, clock, signal } = setUp(async () => {
        await clock.advance(5_000); // a request that takes as long as it may
        throw refusal('TIMEOUT');
      });
      await expect(actions.forceDeletePod(pod, signal)).rejects.toMatchObject({
        code: 'TIMEOUT',
        outcome: 'unknown',
      });
      expect(api.calls).toHaveLength(1);
    });

    it('stops during a pause when aborted, and leaves no timer', async () => {
      const { actions, api, clock, controller, signal } = setUp(refusal('UNAVAILABLE'));
      const result = actions.forceDeletePod(pod, signal).catch((err: unknown) => err);
      await clock.advance(50);
      controller.abort(new Error('shutting down'));
      expect(await result).toBe(signal.reason);
      expect(api.calls).toHaveLength(1);
      expect(clock.pendingTimers).toBe(0);
    });

    it('sends nothing when aborted before it starts', async () => {
      const { actions, api, controller, signal } = setUp();
      controller.abort(new Error('shutting down'));
      await expect(actions.deleteVolumeAttachment(attachment, signal)).rejects.toBe(signal.reason);
      expect(api.calls).toEqual([]);
    });
  });
});
