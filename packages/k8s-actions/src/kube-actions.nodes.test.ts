import { FakeClock, nodeFact, RecordingLogger, TEST_ATTACHER } from '@reattach/core/testing';
import { KubeApiError } from '@reattach/k8s-api';
import { describe, expect, it } from 'vitest';
import { type Answer, refusal, ScriptedKubeApi } from '../test/scripted-kube-api.ts';
import { KubeActions } from './kube-actions.ts';

const node = nodeFact({ ready: false, bootId: 'boot-1', machineId: 'm/m' });
const NODE = '/api/v1/nodes/node-a';
const GUARD = [
  { op: 'test', path: '/metadata/uid', value: node.uid },
  { op: 'test', path: '/metadata/resourceVersion', value: '7' },
];
const TAINT = { key: 'node.kubernetes.io/out-of-service', value: TEST_ATTACHER, effect: 'NoExecute' };
const UNREACHABLE = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: 'then' };
const FENCED = { key: 'reattach.srvlab.io/fenced', value: TEST_ATTACHER, effect: 'NoSchedule' };
const NOTE = 'reattach.srvlab.io/out-of-service-boot-id';
const record = (bootId: string, owner = TEST_ATTACHER) => `${owner}/${bootId}`;
const RECORD_PATH = '/metadata/annotations/reattach.srvlab.io~1out-of-service-boot-id';
const inUse = (handle: string, attacher = TEST_ATTACHER) => `kubernetes.io/csi/${attacher}^${handle}`;

interface Raw {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly ready?: 'True' | 'False' | 'Unknown';
  readonly bootID?: string | undefined;
  readonly systemUUID?: string;
  readonly annotations?: object;
  readonly taints?: unknown;
  readonly volumesInUse?: unknown;
}

function rawNode(raw: Raw = {}): object {
  const { uid = node.uid, resourceVersion = '7', ready = 'Unknown', annotations, volumesInUse } = raw;
  return {
    kind: 'Node',
    metadata: { name: 'node-a', uid, resourceVersion, annotations },
    spec: { podCIDR: '10.0.0.0/24', taints: raw.taints },
    status: {
      conditions: [{ type: 'Ready', status: ready }],
      nodeInfo: {
        machineID: 'm',
        systemUUID: raw.systemUUID ?? 'M',
        bootID: 'bootID' in raw ? raw.bootID : 'boot-1',
      },
      volumesInUse,
    },
  };
}

/** As kube-apiserver words a JSON patch whose `test` failed. */
function testFailed(): KubeApiError {
  return new KubeApiError('INVALID', 'not-applied', 'testing value failed', {
    status: 422,
    reason: 'Invalid',
  });
}

function setUp(...answers: Answer[]) {
  const api = new ScriptedKubeApi(...answers);
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const { signal } = new AbortController();
  const actions = new KubeActions({ api, clock, attacher: TEST_ATTACHER, random: () => 0.5, logger });
  return { api, clock, logger, signal, actions };
}

type SetUp = ReturnType<typeof setUp>;

/** What the patch did behind its guard. */
function patched({ api }: SetUp): unknown[] {
  const body = api.requests[1]?.body;
  return Array.isArray(body) ? body.slice(GUARD.length) : [];
}

function lease(name: string, spec?: object): object {
  return { kind: 'Lease', metadata: { name, uid: 'l1' }, spec };
}

const CHANGES = {
  removeVolumesInUse: {
    path: `${NODE}/status`,
    run: ({ actions, signal }: SetUp) => actions.removeVolumesInUse(node, TEST_ATTACHER, ['h1'], signal),
    pending: { volumesInUse: [inUse('h1')] },
    done: {},
    operations: [{ op: 'remove', path: '/status/volumesInUse/0' }],
  },
  addOutOfServiceTaint: {
    path: NODE,
    run: ({ actions, signal }: SetUp) => actions.addOutOfServiceTaint(node, signal),
    pending: { annotations: {} },
    done: { taints: [TAINT] },
    operations: [
      { op: 'add', path: '/spec/taints', value: [TAINT] },
      { op: 'add', path: RECORD_PATH, value: record('boot-1') },
    ],
  },
  removeOutOfServiceTaint: {
    path: NODE,
    run: ({ actions, signal }: SetUp) => actions.removeOutOfServiceTaint(node, signal),
    pending: { taints: [TAINT] },
    done: {},
    operations: [{ op: 'remove', path: '/spec/taints/0' }],
  },
  addFencedTaint: {
    path: NODE,
    run: ({ actions, signal }: SetUp) => actions.addFencedTaint(node, signal),
    pending: { taints: [UNREACHABLE] },
    done: { taints: [FENCED] },
    operations: [{ op: 'add', path: '/spec/taints/-', value: FENCED }],
  },
  removeFencedTaint: {
    path: NODE,
    run: ({ actions, signal }: SetUp) => actions.removeFencedTaint(node, signal),
    pending: { taints: [UNREACHABLE, FENCED] },
    done: { taints: [UNREACHABLE] },
    operations: [{ op: 'remove', path: '/spec/taints/1' }],
  },
} as const;

describe.each(Object.entries(CHANGES))(
  'KubeActions.%s',
  (_name, { path, run, pending, done, operations }) => {
    it('patches exactly the state it read', async () => {
      const t = setUp(rawNode(pending), {});
      expect(await run(t)).toBe('changed');
      expect(t.api.calls).toEqual([`GET ${NODE}`, `PATCH ${path}`]);
      expect(t.api.requests[0]?.query).toBeUndefined(); // a resourceVersion would allow a cached answer
      expect(t.api.requests[1]).toMatchObject({
        contentType: 'application/json-patch+json',
        body: [...GUARD, ...operations],
        timeoutMs: 5_000,
      });
    });

    it('writes nothing when nothing is to be changed', async () => {
      const t = setUp(rawNode(done));
      expect(await run(t)).toBe('unchanged');
      expect(t.api.calls).toEqual([`GET ${NODE}`]);
    });

    it('writes nothing to another Node of that name', async () => {
      const t = setUp(rawNode({ ...pending, uid: 'uid-2' }));
      expect(await run(t)).toBe('replaced');
      expect(t.api.calls).toEqual([`GET ${NODE}`]);
    });

    it('says gone when the Node is, before the patch or at it', async () => {
      expect(await run(setUp(refusal('NOT_FOUND')))).toBe('gone');
      expect(await run(setUp(rawNode(pending), refusal('NOT_FOUND')))).toBe('gone');
    });

    it.each([
      ['no Node', { hello: 'world' }],
      ['another Node', { kind: 'Node', metadata: { name: 'node-b', uid: node.uid, resourceVersion: '7' } }],
      ['a Node without resourceVersion', { kind: 'Node', metadata: { name: 'node-a', uid: node.uid } }],
    ])('writes nothing when the answer is %s', async (_what, raw) => {
      const t = setUp(raw);
      await expect(run(t)).rejects.toMatchObject({ code: 'MALFORMED', outcome: 'not-applied' });
      expect(t.api.calls).toHaveLength(1);
    });

    it.each([
      ['422, its tests failed', testFailed()],
      ['409', refusal('CONFLICT')],
      ['no answer in time', refusal('TIMEOUT')],
    ])('reads again after %s', async (_what, error) => {
      const t = setUp(rawNode(pending), error, rawNode({ ...pending, resourceVersion: '8' }), {});
      const result = run(t);
      await t.clock.advance(1_000);
      expect(await result).toBe('changed');
      expect(t.api.calls).toEqual([`GET ${NODE}`, `PATCH ${path}`, `GET ${NODE}`, `PATCH ${path}`]);
      expect(t.api.requests[3]?.body).toContainEqual({
        op: 'test',
        path: '/metadata/resourceVersion',
        value: '8',
      });
    });

    it('gives up on a patch that is refused again and again', async () => {
      const t = setUp(...Array.from({ length: 4 }, () => [rawNode(pending), testFailed()]).flat());
      const result = run(t).catch((err: unknown) => err);
      await t.clock.advance(5_000);
      expect(await result).toMatchObject({ code: 'CONFLICT', outcome: 'not-applied', cause: testFailed() });
      expect(t.api.calls).toHaveLength(8);
      expect(t.clock.pendingTimers).toBe(0);
    });

    it('passes a refusal on without another attempt', async () => {
      const t = setUp(rawNode(pending), refusal('FORBIDDEN'));
      await expect(run(t)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      expect(t.api.calls).toHaveLength(2);
    });
  },
);

describe('KubeActions', () => {
  describe('removeVolumesInUse', () => {
    it('removes the given volumes of this attacher, from the end, and no other', async () => {
      const volumesInUse = [
        inUse('h1'),
        inUse('h1', 'other.csi.example.com'),
        inUse('h2'),
        'kubernetes.io/nfs/h1',
        inUse('h10'),
        null,
        inUse('h1'),
      ];
      const t = setUp(rawNode({ volumesInUse }), {});
      expect(await t.actions.removeVolumesInUse(node, TEST_ATTACHER, ['h2', 'h1', 'h9'], t.signal)).toBe(
        'changed',
      );
      expect(patched(t)).toEqual([
        { op: 'remove', path: '/status/volumesInUse/6' },
        { op: 'remove', path: '/status/volumesInUse/2' },
        { op: 'remove', path: '/status/volumesInUse/0' },
      ]);
    });

    it.each([[undefined], [null], ['h1'], [{ 0: inUse('h1') }], [[inUse('h2')]]])(
      'changes nothing when volumesInUse is %j',
      async (volumesInUse) => {
        const t = setUp(rawNode({ volumesInUse }));
        expect(await t.actions.removeVolumesInUse(node, TEST_ATTACHER, ['h1'], t.signal)).toBe('unchanged');
      },
    );

    it('writes nothing when the node has become ready since', async () => {
      const t = setUp(rawNode({ volumesInUse: [inUse('h1')], ready: 'True' }));
      expect(await t.actions.removeVolumesInUse(node, TEST_ATTACHER, ['h1'], t.signal)).toBe('replaced');
      expect(t.api.calls).toEqual([`GET ${NODE}`]);
    });

    it('takes a node that was decided about while it counted as ready', async () => {
      const t = setUp(rawNode({ volumesInUse: [inUse('h1')], ready: 'True' }), {});
      const early = nodeFact({ ready: true });
      expect(await t.actions.removeVolumesInUse(early, TEST_ATTACHER, ['h1'], t.signal)).toBe('changed');
    });
  });

  describe('addOutOfServiceTaint', () => {
    it('puts the taint beside others and the record beside others', async () => {
      const t = setUp(rawNode({ taints: [UNREACHABLE], annotations: { other: 'x' } }), {});
      expect(await t.actions.addOutOfServiceTaint(node, t.signal)).toBe('changed');
      expect(patched(t)).toEqual([
        { op: 'add', path: '/spec/taints/-', value: TAINT },
        { op: 'add', path: RECORD_PATH, value: record('boot-1') },
      ]);
    });

    it('works on a Node with neither taints nor annotations', async () => {
      const t = setUp(rawNode(), {});
      await t.actions.addOutOfServiceTaint(node, t.signal);
      expect(patched(t)).toEqual([
        { op: 'add', path: '/spec/taints', value: [TAINT] },
        { op: 'add', path: '/metadata/annotations', value: { [NOTE]: record('boot-1') } },
      ]);
    });

    it('records the bootID of the state it taints, not the one that was decided about', async () => {
      const t = setUp(rawNode({ annotations: { [NOTE]: record('boot-0') }, bootID: 'boot-2' }), {});
      await t.actions.addOutOfServiceTaint(nodeFact({ ready: false, bootId: 'boot-1' }), t.signal);
      expect(patched(t)).toContainEqual({ op: 'add', path: RECORD_PATH, value: record('boot-2') });
    });

    it('drops an old record when the bootID is not known: it would prove a reboot that never was', async () => {
      const t = setUp(rawNode({ annotations: { [NOTE]: record('boot-0') }, bootID: undefined }), {});
      await t.actions.addOutOfServiceTaint(node, t.signal);
      expect(patched(t)).toContainEqual({ op: 'remove', path: RECORD_PATH });
    });

    it.each([
      ['value', { ...TAINT, value: 'nodeshutdown' }],
      ['effect', { ...TAINT, effect: 'NoSchedule' }],
    ])('leaves the key alone when it is there with another %s', async (_what, taint) => {
      const t = setUp(rawNode({ taints: [UNREACHABLE, taint] }));
      expect(await t.actions.addOutOfServiceTaint(node, t.signal)).toBe('unchanged');
      expect(t.api.calls).toEqual([`GET ${NODE}`]);
    });

    it('logs once that another owner has tainted the Node', async () => {
      const raw = rawNode({ taints: [{ ...TAINT, value: 'other.csi.example.com' }] });
      const t = setUp(raw, raw);
      await t.actions.addOutOfServiceTaint(node, t.signal);
      await t.actions.addOutOfServiceTaint(node, t.signal);
      expect(t.logger.messages('warn')).toEqual(['Left a taint of another owner on a Node']);
      expect(t.logger.lines[0]?.fields).toMatchObject({
        node: 'node-a',
        taint: TAINT.key,
        owner: 'other.csi.example.com',
      });
    });

    it('never taints a ready node, even one that counted as ready when it was decided about', async () => {
      const t = setUp(rawNode({ ready: 'True' }));
      expect(await t.actions.addOutOfServiceTaint(nodeFact({ ready: true }), t.signal)).toBe('replaced');
      expect(t.api.calls).toEqual([`GET ${NODE}`]);
    });
  });

  describe('removeOutOfServiceTaint', () => {
    it('removes taint and record of a node that is ready again', async () => {
      const taints = [UNREACHABLE, TAINT, { key: 'k', effect: 'NoSchedule' }];
      const t = setUp(rawNode({ taints, annotations: { [NOTE]: record('boot-1') }, ready: 'True' }), {});
      expect(await t.actions.removeOutOfServiceTaint(node, t.signal)).toBe('changed');
      expect(patched(t)).toEqual([
        { op: 'remove', path: '/spec/taints/1' },
        { op: 'remove', path: RECORD_PATH },
      ]);
    });

    it("leaves another owner's taint of that key, and its record", async () => {
      const annotations = { [NOTE]: record('boot-1', 'other.csi.example.com') };
      const t = setUp(rawNode({ taints: [{ ...TAINT, value: 'other.csi.example.com' }], annotations }));
      expect(await t.actions.removeOutOfServiceTaint(node, t.signal)).toBe('unchanged');
    });

    it('removes a record that a taint removed by hand left behind', async () => {
      const t = setUp(rawNode({ annotations: { [NOTE]: record('boot-1') } }), {});
      expect(await t.actions.removeOutOfServiceTaint(node, t.signal)).toBe('changed');
      expect(patched(t)).toEqual([{ op: 'remove', path: RECORD_PATH }]);
    });
  });

  describe.each(['removeOutOfServiceTaint', 'removeFencedTaint'] as const)('%s', (remove) => {
    const taints = [TAINT, FENCED];

    it.each([
      ['another boot', { bootID: 'boot-2' }],
      ['a boot that is not known', { bootID: undefined }],
      ['another machine', { systemUUID: 'other' }],
    ])('removes nothing from %s than the one found clean', async (_what, drift) => {
      const t = setUp(rawNode({ taints, ...drift }));
      expect(await t.actions[remove](node, t.signal)).toBe('replaced');
      expect(t.api.calls).toEqual([`GET ${NODE}`]);
    });
  });

  describe('removeFencedTaint', () => {
    it('keeps a node that is no longer ready free of pods', async () => {
      const t = setUp(rawNode({ taints: [FENCED], ready: 'Unknown' }));
      expect(await t.actions.removeFencedTaint({ ...node, ready: true }, t.signal)).toBe('replaced');
    });

    it("leaves another owner's taint", async () => {
      const t = setUp(rawNode({ taints: [{ ...FENCED, value: 'other.csi.example.com' }] }));
      expect(await t.actions.removeFencedTaint(node, t.signal)).toBe('unchanged');
    });
  });

  describe('addFencedTaint', () => {
    it("does not double another owner's taint, and logs it", async () => {
      const t = setUp(rawNode({ taints: [{ ...FENCED, value: 'other.csi.example.com' }] }));
      expect(await t.actions.addFencedTaint(node, t.signal)).toBe('unchanged');
      expect(t.logger.messages('warn')).toEqual(['Left a taint of another owner on a Node']);
    });

    it('marks a ready Node, too: Kubernetes still calls it so', async () => {
      const t = setUp(rawNode({ ready: 'True' }), {});
      expect(await t.actions.addFencedTaint(node, t.signal)).toBe('changed');
      expect(patched(t)).toEqual([{ op: 'add', path: '/spec/taints', value: [FENCED] }]);
    });
  });

  describe('getNodeLeaseRenewTime', () => {
    const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-a';

    it('returns the renew time as the API server has it, to the last digit', async () => {
      const { actions, api, signal } = setUp(lease('node-a', { renewTime: '2026-01-01T00:00:00.123456Z' }));
      expect(await actions.getNodeLeaseRenewTime('node-a', signal)).toBe('2026-01-01T00:00:00.123456Z');
      expect(api.calls).toEqual([`GET ${LEASE}`]);
      expect(api.requests[0]?.query).toBeUndefined();
    });

    it.each([
      ['a Lease that does not exist', refusal('NOT_FOUND')],
      ['a Lease that was never renewed', lease('node-a')],
    ])('returns nothing for %s', async (_what, answer) => {
      const { actions, signal } = setUp(answer);
      expect(await actions.getNodeLeaseRenewTime('node-a', signal)).toBeUndefined();
    });

    it.each([
      ["a proxy's 404", new KubeApiError('NOT_FOUND', 'not-applied', 'x', { status: 404 }), 'NOT_FOUND'],
      ['another Lease', lease('node-b', {}), 'MALFORMED'],
    ])('does not take %s for an answer', async (_what, answer, code) => {
      const { actions, signal } = setUp(answer);
      await expect(actions.getNodeLeaseRenewTime('node-a', signal)).rejects.toMatchObject({ code });
    });
  });
});
