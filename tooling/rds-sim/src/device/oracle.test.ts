import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { Device } from './device.ts';
import type { SimHost } from './sim-host.ts';

function setUp(): { clock: FakeClock; device: Device; a: SimHost; b: SimHost } {
  const clock = new FakeClock();
  const device = new Device({ clock });
  device.addVolume({ slot: 'vol', nqn: 'nqn.vol', sizeBytes: 1 });
  const a = device.addHost({ name: 'node-a', addresses: ['10.0.5.1'] });
  const b = device.addHost({ name: 'node-b', addresses: ['10.0.5.2'] });
  for (const host of [a, b]) host.connect('vol');
  return { clock, device, a, b };
}

describe('Oracle', () => {
  it('counts accepted writes by volume and host', () => {
    const { device, a } = setUp();
    a.mount('vol');
    a.write('vol');
    a.write('vol');
    expect(device.oracle.writes('vol')).toEqual({ 'node-a': 2 });
    expect(device.oracle.writes('other')).toEqual({});
    expect(device.oracle.totalWrites).toBe(2);
  });

  it('a hand-over and a hand-over back, each with a mount, is no double write', () => {
    const { device, a, b } = setUp();
    for (const host of [a, b, a]) {
      host.mount('vol');
      host.write('vol');
    }
    expect(device.oracle.doubleWrites).toBe(0);
  });

  it('a write by the older writer after the newer one has written is a double write', () => {
    const { clock, device, a, b } = setUp();
    a.mount('vol');
    a.write('vol');
    b.mount('vol');
    a.write('vol');
    expect(device.oracle.doubleWrites).toBe(0); // the newer writer has not written yet
    b.write('vol');
    a.write('vol');
    expect(device.oracle.violations).toEqual([
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
    expect(device.oracle.doubleWrites).toBe(1);
  });

  it('dirty writes that are replayed after a hand-over are double writes', async () => {
    const { clock, device, a, b } = setUp();
    a.mount('vol');
    a.partition();
    a.writeBuffered('vol');
    b.mount('vol');
    b.write('vol');
    await clock.advance(60_000);
    a.heal();
    await clock.advance(20_000);
    expect(device.oracle.doubleWrites).toBe(1);
  });

  it('the same with a fence is none, nor after a reboot behind it', async () => {
    const { clock, device, a, b } = setUp();
    device.addDropRule();
    a.mount('vol');
    a.partition();
    a.writeBuffered('vol');
    const fence = device.addressList.add({ list: 'reattach-fenced', address: '10.0.5.1' });
    b.mount('vol');
    b.write('vol');
    a.heal();
    await clock.advance(60_000);
    a.boot();
    device.addressList.remove(fence);
    a.connect('vol');
    await clock.advance(60_000);
    expect(device.oracle.writes('vol')).toEqual({ 'node-b': 1 });
    expect(device.oracle.doubleWrites).toBe(0);
  });

  it('a mount that cannot reach the device begins nothing', () => {
    const { device, a, b } = setUp();
    a.partition();
    expect(a.mount('vol')).toBe(false);
    b.mount('vol');
    b.write('vol');
    expect(device.oracle.doubleWrites).toBe(0);
  });
});
