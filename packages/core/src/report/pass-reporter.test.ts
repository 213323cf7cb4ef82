import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NOW, world } from '../../test/decide-world.ts';
import { PassFixture } from '../../test/pass-fixture.ts';
import { decide } from '../decide/decide.ts';
import type { Effect } from '../execute/effect.ts';
import type { Policy } from '../model/policy.ts';
import type { PassReport } from '../pass/pass-report.ts';
import { ATTR_EFFECT, ATTR_STRATEGY } from '../telemetry/semconv.ts';
import { nodeFact, podFact, volumeAttachmentFact } from '../testing/fact-builders.ts';
import { settle } from '../testing/fake-clock.ts';
import { testPolicy } from '../testing/policy-builder.ts';
import { RecordingEventRecorder } from '../testing/recording-event-recorder.ts';
import { RecordingLogger } from '../testing/recording-logger.ts';
import { RecordingTelemetry } from '../testing/recording-telemetry.ts';
import { lostDecisionsIn } from './held.ts';
import { PassReporter } from './pass-reporter.ts';

let telemetry: RecordingTelemetry;
beforeEach(() => {
  telemetry = new RecordingTelemetry();
});
afterEach(() => telemetry[Symbol.dispose]());

const EMPTY_REPORT: PassReport = {
  nowMs: NOW,
  reconcileId: 'r',
  decisions: [],
  healthyCount: 0,
  cleanups: [],
  effects: [],
  fences: [],
};

function reported(policy: Partial<Policy> = {}) {
  const logger = new RecordingLogger();
  const recorder = new RecordingEventRecorder();
  const reporter = new PassReporter({ logger, events: recorder });
  const f = new PassFixture(policy, { observer: reporter });
  const events = () => recorder.events.map(({ type, reason }) => `${type} ${reason}`);
  return { f, logger, recorder, reporter, events };
}

/** The same before anything was fenced. */
function unfenced() {
  const all = reported();
  all.f.backend.fences.clear();
  return all;
}

describe('PassReporter', () => {
  it('reports a release with its evidence, on the claim and in the log', async () => {
    const { f, logger, recorder } = reported();
    await f.run();
    expect(recorder.events).toEqual([
      {
        type: 'Normal',
        reason: 'StaleAttachmentReleased',
        message: expect.stringMatching(/^Released from lost node node-a \(in-use\): ./),
        regarding: {
          kind: 'PersistentVolumeClaim',
          namespace: 'default',
          name: 'claim-of-pv-a',
          uid: 'uid-of-claim-of-pv-a',
        },
      },
    ]);
    expect(logger.lines.find(({ message }) => message === 'Released stale attachment')?.fields).toMatchObject(
      {
        node: 'node-a',
        nodeUid: 'uid-of-node-a',
        volumeAttachment: 'va-pv-a-node-a',
        persistentVolume: 'pv-a',
        volumeHandle: 'handle-of-pv-a',
        strategy: 'in-use',
        rule: 'mode-fence',
        evidence: { kind: 'silent' },
        lostForMs: 60_000,
        reconcileID: 'r',
      },
    );
    expect(telemetry.total('reattach.attachment.releases', { [ATTR_STRATEGY]: 'in-use' })).toBe(1);
  });

  it('logs a hold again when another cause keeps its reason up; it counts as one', async () => {
    const { f, logger } = reported();
    f.backend.reachable = false;
    await f.run();
    f.backend.reachable = true;
    f.backend.setUnknown('node-a', 'not-observable');
    await f.run();
    await f.run();
    const holds = logger.lines.filter(({ message }) => message === 'Held release');
    expect(holds.map(({ fields }) => fields['reason'])).toEqual(['storage-unknown', 'storage-unknown']);
    expect(holds[1]?.fields['why']).toMatch('not-observable');
    expect(telemetry.total('reattach.attachment.holds')).toBe(1);
  });

  it('reports a detach that fell back to another way, and of one release', async () => {
    const { f, logger } = reported({ detachTimeoutMs: 3_000 });
    await f.runFor(4);
    const messages = logger.lines
      .map(({ message }) => message)
      .filter((message) => /Released|Fell back/.test(message));
    expect(messages).toEqual(['Released stale attachment', 'Fell back to another detach strategy']);
    expect(telemetry.total('reattach.attachment.releases')).toBe(1);
  });

  it('lets stand what it said of a volume about which nothing ended since', () => {
    const { f, logger, reporter } = reported();
    const { decisions } = decide(world(), testPolicy(), NOW);
    const lost = lostDecisionsIn({ ...EMPTY_REPORT, decisions });
    const failed: Effect = { kind: 'failed', step: 'fence', decisions: lost, err: new Error('refused') };
    const pass = (report: Partial<PassReport>) =>
      reporter.passed({ ...EMPTY_REPORT, ...report }, f.abort.signal);
    pass({ decisions, effects: [failed] });
    pass({ decisions });
    pass({ decisions, effects: [failed] });
    expect(logger.messages('warn')).toEqual(['Held release', 'Release failed']);
    pass({}); // the node is back
    pass({ decisions, effects: [failed] });
    expect(logger.messages('warn')).toHaveLength(4);
  });

  it('logs and counts a hold when it begins and when its reason changes; the Event is repeated', async () => {
    const { f, logger, recorder } = reported();
    f.backend.enforcement = { kind: 'not-enforced', detail: 'no rule' };
    await f.run();
    await f.run();
    expect(logger.messages('warn')).toEqual(['Held release']);
    f.backend.reachable = false;
    await f.run();
    const reasons = logger.lines
      .filter(({ message }) => message === 'Held release')
      .map(({ fields }) => fields['reason']);
    expect(reasons).toEqual(['fence-failed', 'storage-unknown']);
    const holds = recorder.events.filter(({ reason }) => reason === 'ReleaseHeld');
    expect(holds.map(({ type, message }) => [type, message.slice(0, 36)])).toEqual([
      ['Warning', 'Release held (fence-failed): node no'],
      ['Warning', 'Release held (fence-failed): node no'],
      ['Warning', 'Release held (storage-unknown): node'],
    ]);
    expect(telemetry.total('reattach.attachment.holds')).toBe(2);
  });

  it.each<[string, Partial<Policy>, (f: PassFixture) => void]>([
    ['fence-failed', {}, (f) => (f.backend.enforcement = { kind: 'not-enforced', detail: 'no rule' })],
    ['storage-unknown', {}, (f) => (f.backend.reachable = false)],
    ['cache-stale', {}, (f) => (f.cluster.staleMs = 200_000)],
    ['dry-run', { mode: 'observe' }, () => undefined],
  ])(
    'repeats the Event of a hold (%s) word for word, or it could not be counted',
    async (reason, policy, change) => {
      const { f, recorder } = reported(policy);
      change(f);
      await f.run();
      await f.clock.advance(2_345);
      f.cluster.staleMs += f.cluster.staleMs > 0 ? 2_345 : 0;
      await f.run();
      const [first, second, ...rest] = recorder.events.filter(({ reason: each }) => each === 'ReleaseHeld');
      expect(first?.message).toContain(`Release held (${reason}): node node-a is lost, but `);
      expect([second, rest]).toEqual([first, []]);
    },
  );

  it('begins again with a hold that was over', async () => {
    const { f, logger } = reported();
    f.backend.enforcement = { kind: 'not-enforced', detail: 'no rule' };
    await f.run();
    f.setNode(nodeFact());
    await f.run();
    f.setNode(f.lost);
    await f.run();
    expect(logger.messages('warn')).toEqual(['Held release', 'Held release']);
  });

  it('says nothing about nodes that are fine', async () => {
    const { f, logger, recorder, reporter } = reported();
    f.setNode(nodeFact());
    await f.run();
    expect([logger.lines, recorder.events]).toEqual([[], []]);
    expect(reporter.latest?.decisions).toEqual([]);
  });

  it('says nothing of what other attachers leave on a lost node', async () => {
    const { f, logger, recorder } = reported();
    f.cluster.removeVolumeAttachment('va-pv-a-node-a');
    f.cluster.setVolumeAttachment(volumeAttachmentFact({ attacher: 'other.csi.example' }));
    await f.run();
    f.cluster.staleMs = 200_000;
    await f.run();
    expect([logger.lines, recorder.events]).toEqual([[], []]);
  });

  it('counts every effect, and how long it took to release', async () => {
    const { f } = reported({ strategy: 'delete' });
    await f.run();
    const counts = ['pod-deleted', 'detach-requested', 'failed'].map((kind) =>
      telemetry.total('reattach.effects', { [ATTR_EFFECT]: kind }),
    );
    expect(counts).toEqual([1, 1, 0]);
    expect(
      telemetry.measurements.filter(({ instrument }) => instrument === 'reattach.attachment.release.delay'),
    ).toEqual([
      {
        instrument: 'reattach.attachment.release.delay',
        value: 60,
        attributes: { [ATTR_STRATEGY]: 'delete' },
      },
    ]);
    expect(telemetry.total('reattach.attachment.releases', { [ATTR_STRATEGY]: 'delete' })).toBe(1);
    expect(telemetry.total('reattach.attachment.releases')).toBe(1);
  });

  it('counts a release once, however long the detach takes', async () => {
    const { f, logger, events } = reported();
    await f.run();
    f.actions.setChangeResult('node-a', 'unchanged');
    await f.run();
    expect(telemetry.total('reattach.attachment.releases')).toBe(1);
    expect(events()).toEqual(['Normal StaleAttachmentReleased']);
    expect(logger.messages('debug')).toEqual(['Waited for detach']);
  });

  it('logs pods that it deletes, and decisions that were superseded', async () => {
    const { f, logger } = reported();
    f.actions.before = ({ kind }) => {
      if (kind === 'forceDeletePod') f.actions.setNode(nodeFact());
    };
    await f.run();
    expect(logger.lines).toEqual([
      {
        level: 'info',
        message: 'Deleted pod',
        fields: {
          namespace: 'default',
          pod: 'pod-a',
          node: 'node-a',
          controller: { kind: 'StatefulSet', name: 'set-a' },
          reconcileID: 'r',
        },
      },
      {
        level: 'info',
        message: 'Dropped decision',
        fields: expect.objectContaining({
          volumeAttachment: 'va-pv-a-node-a',
          why: 'The Node is ready again',
        }),
      },
    ]);
  });

  it('holds what waits for a companion', async () => {
    const { f, events, logger } = unfenced();
    f.backend.setLive('node-a'); // a node that is proved cut off waits for no migration
    f.attach('pv-b', 'node-a', 'pod-b');
    f.cluster.setClaimMigrating('default', 'claim-of-pv-b');
    await f.run();
    expect(events()).toEqual(['Warning ReleaseHeld']);
    expect(logger.lines.map(({ fields }) => [fields['reason'], fields['persistentVolume']])).toEqual([
      ['sibling-held', 'pv-a'],
    ]);
  });

  it('reports a fence and its end, on the Node', async () => {
    const { f, events, recorder } = unfenced();
    await f.run();
    expect(events()).toEqual(['Warning NodeFenced']);
    expect(recorder.events[0]?.regarding).toEqual({
      kind: 'Node',
      namespace: '',
      name: 'node-a',
      uid: 'uid-of-node-a',
    });
    await f.run();
    f.cluster.removeVolumeAttachment('va-pv-a-node-a');
    f.cluster.removePod('default', 'pod-a');
    f.setNode(nodeFact({ bootId: 'next' }));
    await f.run();
    expect(events().at(-1)).toBe('Normal NodeUnfenced');
  });

  it('warns that nothing creates a pod without a controller again', async () => {
    const { f, recorder } = reported();
    const { controller: _none, ...pod } = podFact();
    f.cluster.setPod(pod);
    await f.run();
    expect(recorder.events.map(({ reason }) => reason)).toEqual([
      'PodNotRescheduled',
      'StaleAttachmentReleased',
    ]);
    expect(recorder.events[0]?.message).toContain('pod-a');
  });

  it('warns of a failure once, and again when it is another one', async () => {
    const { f, logger } = reported();
    let message = 'refused';
    f.actions.before = ({ kind }) => {
      if (kind === 'forceDeletePod') throw new Error(message);
    };
    await f.run();
    await f.run();
    message = 'timed out';
    await f.run();
    const levels = logger.lines
      .filter(({ message: text }) => text === 'Release failed')
      .map(({ level }) => level);
    expect(levels).toEqual(['warn', 'debug', 'warn']);
  });

  it('measures a release from the first pass that saw the node lost', async () => {
    const { f } = reported();
    f.backend.setLive('node-a');
    await f.run();
    await f.clock.advance(7_000);
    f.backend.setSilent('node-a', f.clock.now() - 60_000);
    await f.run();
    expect(
      telemetry.measurements.filter(
        ({ instrument }) => instrument === 'reattach.attachment.release.duration',
      ),
    ).toMatchObject([{ value: 7, attributes: { [ATTR_STRATEGY]: 'in-use' } }]);
  });

  it('measures a release that is reported when its attachment is gone already', async () => {
    const f = new PassFixture();
    const reporter = new PassReporter({});
    f.backend.setLive('node-a');
    await f.run();
    reporter.passed(f.report, f.abort.signal);
    await f.clock.advance(7_000);
    f.backend.setSilent('node-a', f.clock.now() - 60_000);
    await f.run();
    expect(f.effects).toContain('detach-requested');
    reporter.passed({ ...f.report, decisions: [] }, f.abort.signal);
    expect(telemetry.total('reattach.attachment.release.duration')).toBe(7);
  });

  it('counts failed steps, each time', async () => {
    const { f } = reported();
    f.actions.before = ({ kind }) => {
      if (kind === 'forceDeletePod') throw new Error('refused');
    };
    await f.run();
    await f.run();
    const counts = ['delete-pod', 'fence', 'add-fenced-taint', 'detach'].map((step) =>
      telemetry.total('reattach.attachment.release.failures', { 'reattach.release.step': step }),
    );
    expect(counts).toEqual([2, 0, 0, 0]);
  });

  it('holds what a failed fence leaves undone', async () => {
    const { f, events, logger } = unfenced();
    f.backend.beforeChange = () => {
      throw new Error('no such right');
    };
    await f.run();
    expect(events()).toEqual(['Warning ReleaseHeld']);
    expect(logger.lines.find(({ message }) => message === 'Held release')?.fields).toMatchObject({
      reason: 'fence-failed',
      why: 'no such right',
    });
  });

  it('logs what is removed from a node, with the proof', async () => {
    const { f, logger } = unfenced();
    await f.runFor(2);
    logger.lines.length = 0;
    f.cluster.removeVolumeAttachment('va-pv-a-node-a');
    f.cluster.removePod('default', 'pod-a');
    const fenced = { key: 'reattach.srvlab.io/fenced', value: 'test.csi.reattach.io', effect: 'NoSchedule' };
    const outOfService = {
      key: 'node.kubernetes.io/out-of-service',
      value: 'test.csi.reattach.io',
      effect: 'NoExecute',
    };
    const back = { bootId: 'next', outOfServiceBootId: 'boot-of-node-a' };
    f.setNode(nodeFact({ ...back, taints: [outOfService, fenced] }));
    await f.run();
    f.setNode(nodeFact({ ...back, taints: [fenced] }));
    await f.runFor(2);
    expect(logger.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'info Removed out-of-service taint',
      'info Unfenced node',
      'info Removed fenced taint',
    ]);
    expect(logger.lines.map(({ fields }) => [fields['node'], fields['why']])).toEqual([
      ['node-a', 'The node has booted since it was tainted'],
      ['node-a', 'The node has booted since fence fence-1'],
      ['node-a', 'No fence of the node is left'],
    ]);
  });

  it('warns once that a cleanup failed, and again when it fails otherwise', async () => {
    const { f, logger } = unfenced();
    await f.runFor(2);
    logger.lines.length = 0;
    f.setNode(nodeFact({ bootId: 'next' }));
    let message = 'refused';
    f.backend.beforeChange = () => {
      throw new Error(message);
    };
    await f.runFor(2);
    message = 'timed out';
    await f.run();
    expect(logger.lines.map(({ level, message: text }) => [level, text])).toEqual([
      ['warn', 'Cleanup failed'],
      ['debug', 'Cleanup failed'],
      ['warn', 'Cleanup failed'],
    ]);
    expect(logger.lines[0]?.fields).toMatchObject({
      cleanup: { kind: 'unfence', backendName: 'backend-a', fence: { id: 'fence-1' } },
      err: { message: 'refused' },
      reconcileID: 'r',
    });
  });

  it('gives an Event to no volume without a claim', async () => {
    const { f, recorder } = reported();
    const volume = f.cluster.persistentVolume('pv-a');
    if (!volume) throw new TypeError('Expected pv-a');
    const { claim: _none, ...unclaimed } = volume;
    f.cluster.setPersistentVolume(unclaimed);
    await f.run();
    expect(recorder.events).toEqual([]);
  });

  it('waits for the Events in flight when it is disposed', async () => {
    const written = Promise.withResolvers<void>();
    const reporter = new PassReporter({ events: { record: () => written.promise } });
    const f = new PassFixture({}, { observer: reporter });
    await f.run();
    const disposed = reporter[Symbol.asyncDispose]().then(() => 'disposed');
    expect(await Promise.race([disposed, settle().then(() => 'waiting')])).toBe('waiting');
    written.resolve();
    expect(await disposed).toBe('disposed');
  });
});
