import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PassFixture } from '../../test/pass-fixture.ts';
import type { Policy } from '../model/policy.ts';
import { nodeFact, volumeAttachmentFact } from '../testing/fact-builders.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { RecordingTelemetry } from '../testing/recording-telemetry.ts';
import { PassReporter } from './pass-reporter.ts';

let telemetry: RecordingTelemetry;
beforeEach(() => {
  telemetry = new RecordingTelemetry();
});
afterEach(() => telemetry[Symbol.dispose]());

function reported(policy: Partial<Policy> = {}) {
  const clock = new FakeClock();
  const reporter = new PassReporter({ clock });
  return { f: new PassFixture(policy, { observer: reporter }, clock), reporter };
}

/** The same before anything was fenced. */
function unfenced() {
  const all = reported();
  all.f.backend.fences.clear();
  return all;
}

/** The values of a gauge that are not 0, by the value of its one attribute. */
async function gauge(name: string): Promise<Readonly<Record<string, number>>> {
  const values = (await telemetry.collect()).filter(
    ({ instrument, value }) => instrument === name && value !== 0,
  );
  return Object.fromEntries(values.map(({ attributes, value }) => [Object.values(attributes).join(), value]));
}
const stale = () => gauge('reattach.attachment.stale');
const fences = () => gauge('reattach.fences');
const fenceAges = () => gauge('reattach.fence.age');
const staleAges = () => gauge('reattach.attachment.stale.age');
const heldAges = () => gauge('reattach.attachment.held.age');

describe('PassReporter: reattach.attachment.stale', () => {
  it('is 0 for every state before the first pass', async () => {
    reported();
    const all = (await telemetry.collect()).filter(
      ({ instrument }) => instrument === 'reattach.attachment.stale',
    );
    expect(all.map(({ value }) => value)).toEqual(all.map(() => 0));
    expect(all.map(({ attributes }) => Object.values(attributes).join())).toEqual(
      expect.arrayContaining(['storage-unknown', 'fence-failed', 'waiting', 'fencing', 'releasing']),
    );
  });

  it.each<[string, Partial<Policy>, (f: PassFixture) => void]>([
    ['releasing', {}, () => undefined],
    ['fencing', {}, (f) => f.backend.fences.clear()],
    ['waiting', {}, (f) => f.setNode({ ...f.lost, readyObservedAtMs: f.clock.now() })],
    ['storage-unknown', {}, (f) => (f.backend.reachable = false)],
    ['dry-run', { mode: 'observe' }, () => undefined],
    [
      'fence-failed',
      {},
      (f) => {
        f.backend.fences.clear();
        f.backend.beforeChange = () => {
          throw new Error('refused');
        };
      },
    ],
  ])('says %s', async (state, policy, change) => {
    const { f } = reported(policy);
    change(f);
    await f.run();
    expect(await stale()).toEqual({ [state]: 1 });
  });

  it('counts each attachment once, by what keeps it', async () => {
    const { f } = reported();
    f.attach('pv-b', 'node-a', 'pod-b');
    f.attach('pv-c', 'node-a', 'pod-c');
    f.cluster.removePersistentVolume('pv-c');
    await f.run();
    expect(await stale()).toEqual({ releasing: 2, 'volume-unknown': 1 });
  });

  it('counts nothing on nodes that are fine, and nothing of other attachers', async () => {
    const { f } = reported();
    f.cluster.setVolumeAttachment(volumeAttachmentFact({ name: 'foreign', attacher: 'other.csi.example' }));
    await f.run();
    expect(await stale()).toEqual({ releasing: 1 });
    f.setNode(nodeFact({ bootId: 'next' }));
    await f.run();
    expect(await stale()).toEqual({});
  });
});

describe('PassReporter: reattach.fences', () => {
  it('counts the fences that stand, by whether the node may be let back', async () => {
    const { f } = unfenced();
    await f.run();
    expect(await fences()).toEqual({});
    await f.run();
    expect(await fences()).toEqual({ 'keep-fence': 1 });
    f.setNode(nodeFact({ bootId: 'next' }));
    f.backend.beforeChange = () => {
      throw new Error('refused');
    };
    await f.run();
    expect(await fences()).toEqual({ unfence: 1 });
    f.backend.beforeChange = () => undefined;
    await f.run();
    await f.run();
    expect(await fences()).toEqual({});
  });
});

describe('PassReporter: reattach.fence.age', () => {
  it('grows while the fence exists, also while its backend cannot be read', async () => {
    const { f } = unfenced();
    await f.runFor(2);
    f.backend.reachable = false;
    await f.run();
    expect(await fences()).toEqual({ 'keep-fence': 1 });
    await f.clock.advance(86_400_000 - 4_000);
    expect(await fenceAges()).toEqual({ 'keep-fence': 86_400 });
  });
});

describe('PassReporter: reattach.attachment.stale.age', () => {
  it('counts from the first pass that saw the node lost, through every change of state', async () => {
    const { f } = reported({ mode: 'fence' });
    f.setNode({ ...f.lost, readyObservedAtMs: f.clock.now() });
    await f.run();
    await f.clock.advance(5_000);
    expect(await staleAges()).toEqual({ waiting: 5 });
    await f.clock.advance(95_000);
    f.backend.reachable = false;
    await f.run();
    await f.clock.advance(500_000);
    expect(await staleAges()).toEqual({ 'storage-unknown': 600 });
  });

  it('is 0 for what is no longer stale', async () => {
    const { f } = reported();
    await f.run();
    await f.clock.advance(1_000);
    f.setNode(nodeFact({ bootId: 'next' }));
    await f.run();
    expect(await staleAges()).toEqual({});
  });
});

describe('PassReporter: reattach.attachment.held.age', () => {
  it('is that of the oldest hold, by its reason now, and grows between passes', async () => {
    const { f } = reported();
    f.backend.enforcement = { kind: 'not-enforced', detail: 'no rule' };
    await f.run();
    expect(await heldAges()).toEqual({});
    await f.clock.advance(200_000);
    f.attach('pv-b', 'node-a', 'pod-b');
    await f.run();
    expect(await heldAges()).toEqual({ 'fence-failed': 200 });
    f.backend.reachable = false;
    await f.run();
    await f.clock.advance(101_000);
    expect(await heldAges()).toEqual({ 'storage-unknown': 301 });
  });

  it('is 0 for what is being released', async () => {
    const { f } = reported();
    await f.run();
    await f.clock.advance(1_000);
    expect(await heldAges()).toEqual({});
  });
});

describe('PassReporter: reattach.attachments', () => {
  it('counts all of ours, by the state of their node', async () => {
    const { f } = reported();
    f.attach('pv-b', 'node-b', 'pod-b');
    f.attach('pv-z', 'node-z', 'pod-z');
    f.cluster.setVolumeAttachment(volumeAttachmentFact({ name: 'foreign', attacher: 'other.csi.example' }));
    await f.run();
    expect(await gauge('reattach.attachments')).toEqual({ ready: 1, 'not-ready': 1, gone: 1 });
  });
});

describe('PassReporter: forget', () => {
  it('leaves nothing to a replica that no longer leads', async () => {
    const { f, reporter } = unfenced();
    f.backend.setLive('node-b');
    await f.runFor(2);
    expect(await stale()).not.toEqual({});
    reporter.forget();
    expect((await telemetry.collect()).filter(({ value }) => value !== 0)).toEqual([]);
    expect(reporter.latest).toBeUndefined();
  });
});

describe('PassReporter: disposal', () => {
  it('takes the gauges away', async () => {
    const { f, reporter } = reported();
    await f.run();
    await reporter[Symbol.asyncDispose]();
    await reporter[Symbol.asyncDispose]();
    expect(await telemetry.collect()).toEqual([]);
  });
});
