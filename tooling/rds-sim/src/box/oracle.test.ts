import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { Box } from './box.ts';
import type { SimHost } from './sim-host.ts';

function setUp(): { clock: FakeClock; box: Box; a: SimHost; b: SimHost } {
  const clock = new FakeClock();
  const box = new Box({ clock });
  box.addVolume({ slot: 'vol', nqn: 'nqn.vol', sizeBytes: 1 });
  const a = box.addHost({ name: 'node-a', addresses: ['10.0.5.1'] });
  const b = box.addHost({ name: 'node-b', addresses: ['10.0.5.2'] });
  for (const host of [a, b]) host.connect('vol');
  return { clock, box, a, b };
}

describe('Oracle', () => {
  it('counts accepted writes by volume and host', () => {
    const { box, a } = setUp();
    a.mount('vol');
    a.write('vol');
    a.write('vol');
    expect(box.oracle.writes('vol')).toEqual({ 'node-a': 2 });
    expect(box.oracle.writes('other')).toEqual({});
    expect(box.oracle.totalWrites).toBe(2);
  });

  it('a hand-over and a hand-over back, each with a mount, is no double write', () => {
    const { box, a, b } = setUp();
    for (const host of [a, b, a]) {
      host.mount('vol');
      host.write('vol');
    }
    expect(box.oracle.doubleWrites).toBe(0);
  });

  it('a write by the older writer after the newer one has written is a double write', () => {
    const { clock, box, a, b } = setUp();
    a.mount('vol');
    a.write('vol');
    b.mount('vol');
    a.write('vol');
    expect(box.oracle.doubleWrites).toBe(0); // the newer writer has not written yet
    b.write('vol');
    a.write('vol');
    expect(box.oracle.violations).toEqual([
      {
        slot: 'vol',
        atMs: clock.now(),
        host: 'node-a',
        generation: 1,
        newerHost: 'node-b',
        newerGeneration: 2,
      },
    ]);
    b.write('vol');
    expect(box.oracle.doubleWrites).toBe(1);
  });

  it('dirty writes that are replayed after a hand-over are double writes', async () => {
    const { clock, box, a, b } = setUp();
    a.mount('vol');
    a.partition();
    a.writeBuffered('vol');
    b.mount('vol');
    b.write('vol');
    await clock.advance(60_000);
    a.heal();
    await clock.advance(20_000);
    expect(box.oracle.doubleWrites).toBe(1);
  });

  it('the same with a fence is none, nor after a reboot behind it', async () => {
    const { clock, box, a, b } = setUp();
    box.addDropRule();
    a.mount('vol');
    a.partition();
    a.writeBuffered('vol');
    const fence = box.addressList.add({ list: 'reattach-fenced', address: '10.0.5.1' });
    b.mount('vol');
    b.write('vol');
    a.heal();
    await clock.advance(60_000);
    a.boot();
    box.addressList.remove(fence);
    a.connect('vol');
    await clock.advance(60_000);
    expect(box.oracle.writes('vol')).toEqual({ 'node-b': 1 });
    expect(box.oracle.doubleWrites).toBe(0);
  });

  it('a mount that cannot reach the box begins nothing', () => {
    const { box, a, b } = setUp();
    a.partition();
    expect(a.mount('vol')).toBe(false);
    b.mount('vol');
    b.write('vol');
    expect(box.oracle.doubleWrites).toBe(0);
  });
});
