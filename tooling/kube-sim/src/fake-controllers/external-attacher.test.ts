import { describe, expect, it } from 'vitest';
import { attacherFinalizer } from '../manifests.ts';
import { ExternalAttacher } from './external-attacher.ts';
import { DRIVER, TestCluster, VOLUME } from './test-cluster.test-support.ts';

async function cluster(stuck = false) {
  const test = await TestCluster.start();
  const stack = new AsyncDisposableStack();
  stack.use(test);
  const attacher = stack.use(
    new ExternalAttacher(test.sim, { driver: DRIVER, attachMs: 300, detachMs: 700, stuck }),
  );
  test.sim.addVolume(VOLUME);
  return { test, attacher, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('ExternalAttacher', () => {
  it('puts its finalizer at once and attached after attachMs', async () => {
    await using started = await cluster();
    const { test } = started;
    test.sim.addAttachment({ persistentVolume: 'pv-0', nodeName: 'a', attached: false });
    await test.clock.advance(299);
    expect(test.attachment('a')?.metadata.finalizers).toEqual([attacherFinalizer(DRIVER)]);
    expect(test.isAttached('a')).toBe(false);
    await test.clock.advance(1);
    expect(test.isAttached('a')).toBe(true);
  });

  it('lets a deleted one go after detachMs', async () => {
    await using started = await cluster();
    const { test } = started;
    const { metadata } = test.sim.addAttachment({ persistentVolume: 'pv-0', nodeName: 'a' });
    await test.clock.advance(10_000);
    test.sim.store.delete('VolumeAttachment', metadata.name);
    await test.clock.advance(699);
    expect(test.attachment('a')).toBeDefined();
    await test.clock.advance(1);
    expect(test.attachment('a')).toBeUndefined();
  });

  it('removes only its own finalizer', async () => {
    await using started = await cluster();
    const { test } = started;
    const { name } = test.sim.addAttachment({ persistentVolume: 'pv-0', nodeName: 'a' }).metadata;
    const finalizers = [attacherFinalizer(DRIVER), 'other.test/keep'];
    test.sim.store.patch('VolumeAttachment', name, { metadata: { finalizers } });
    test.sim.store.delete('VolumeAttachment', name);
    await test.clock.advance(700);
    expect(test.attachment('a')?.metadata.finalizers).toEqual(['other.test/keep']);
  });

  it('never finishes a detach while it is stuck', async () => {
    await using started = await cluster(true);
    const { test, attacher } = started;
    const { metadata } = test.sim.addAttachment({ persistentVolume: 'pv-0', nodeName: 'a' });
    test.sim.store.delete('VolumeAttachment', metadata.name);
    await test.clock.advance(3_600_000);
    expect(test.attachment('a')).toBeDefined();
    attacher.stuck = false;
    await test.clock.advance(0);
    expect(test.attachment('a')).toBeUndefined();
  });

  it('leaves the VolumeAttachments of other drivers alone', async () => {
    await using started = await cluster();
    const { test } = started;
    test.sim.addVolume({ name: 'other', handle: 'x', driver: 'other.test' });
    const { metadata } = test.sim.addAttachment({
      persistentVolume: 'other',
      nodeName: 'a',
      attached: false,
    });
    await test.clock.advance(10_000);
    expect(test.sim.store.get('VolumeAttachment', metadata.name)).toMatchObject({
      status: { attached: false },
    });
  });
});
