import type { FenceIdentity } from '@reattach/core';
import { describe, expect, it } from 'vitest';
import { ABOUT_A, NEVER, startBox } from './box-fixture.ts';

const FENCE: FenceIdentity = {
  id: '00c0ffee',
  nodeName: 'node-a',
  nodeUid: '8a2c',
  bootId: 'b-1',
  fencedAtMs: 1_767_225_600_000,
};

describe('RdsBox against the simulator', () => {
  it('sees a live host live and a host without power silent, by the age of its session', async () => {
    await using f = await startBox();
    const before = await f.box.observe(ABOUT_A, NEVER);
    expect(before.evidence.get('node-a')).toMatchObject({ kind: 'live' });
    expect(before.liveHosts).toBe(2);
    f.hostA.powerOff();
    await f.clock.advance(20_000);
    const after = await f.box.observe(ABOUT_A, NEVER);
    expect(after.evidence.get('node-a')).toMatchObject({ kind: 'silent' });
    expect(after.liveHosts).toBe(1);
    expect(after.guard).toEqual({ kind: 'armed' });
    expect(after.volumes?.get('pvc-a')?.writesStillSinceMs).toBe(
      before.volumes?.get('pvc-a')?.writesStillSinceMs,
    );
    expect(f.box.lastReading).toBe(after);
  });

  it('reads in two round trips', async () => {
    await using f = await startBox();
    await f.box.observe(ABOUT_A, NEVER);
    const sent = f.sim.commands.entries.length;
    await f.box.observe(ABOUT_A, NEVER);
    expect(f.sim.commands.entries.length - sent).toBe(2);
  });

  it('fences, reads the fence back, and takes it away again', async () => {
    await using f = await startBox();
    await f.box.fence(FENCE, ['10.0.5.1'], NEVER);
    const fenced = await f.box.observe(ABOUT_A, NEVER);
    expect(fenced.fences).toEqual([{ ...FENCE, addresses: ['10.0.5.1'], seenSinceMs: f.clock.now() }]);
    expect(f.hostA.write('pvc-a')).toBe(false);
    const [fence] = fenced.fences ?? [];
    if (fence) await f.box.unfence(fence, NEVER);
    expect((await f.box.observe(ABOUT_A, NEVER)).fences).toEqual([]);
    expect(f.sim.box.addressList.entries).toEqual([]);
  });
});
