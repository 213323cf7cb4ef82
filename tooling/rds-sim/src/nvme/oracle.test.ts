import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { Device } from '../device/device.ts';
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
  it('counts writes by volume and host', () => {
    const { device, a } = setUp();
    a.mount('vol');
    a.write('vol');
    a.write('vol');
    expect(device.oracle.writes('vol')).toEqual({ 'node-a': 2 });
    expect(device.oracle.writes('other')).toEqual({});
    expect(device.oracle.totalWrites).toBe(2);
  });

  it('a hand-over and a hand-over back, each with a mount, does not count as a double write', () => {
    const { device, a, b } = setUp();
    for (const host of [a, b, a]) {
      host.mount('vol');
      host.write('vol');
    }
    expect(device.oracle.doubleWrites).toBe(0);
  });

  it('a write of the older writer is a double write once the newer one has mounted, and once it has written', () => {
    const { clock, device, a, b } = setUp();
    a.mount('vol');
    a.write('vol');
    b.mount('vol');
    a.write('vol');
    b.write('vol');
    a.write('vol');
    b.write('vol');
    const stale = {
      slot: 'vol',
      atMs: clock.now(),
      host: 'node-a',
      generation: 1,
      newerHost: 'node-b',
      newerGeneration: 2,
      isOverwrite: false,
    };
    expect(device.oracle.violations).toEqual([
      { ...stale, hadNewerWritten: false },
      { ...stale, hadNewerWritten: true },
    ]);
    expect([device.oracle.doubleWrites, device.oracle.overwrites]).toEqual([2, 0]);
  });

  it('a stale write to a block that the newer writer has written is an overwrite', () => {
    const { device, a, b } = setUp();
    a.mount('vol');
    a.write('vol', 4096, 7);
    b.mount('vol');
    b.write('vol', 4096, 7);
    a.write('vol', 4096, 8);
    a.write('vol', 4096, 7);
    expect([device.oracle.doubleWrites, device.oracle.overwrites]).toEqual([2, 1]);
  });

  it('writes that are replayed after a hand-over are double writes', async () => {
    const { clock, device, a, b } = setUp();
    a.mount('vol');
    a.partition();
    a.write('vol');
    b.mount('vol');
    b.write('vol');
    await clock.advance(60_000);
    a.heal();
    await clock.advance(20_000);
    expect([device.oracle.doubleWrites, device.oracle.overwrites]).toEqual([1, 1]);
  });

  it('the same with a fence is none, nor after a reboot behind it', async () => {
    const { clock, device, a, b } = setUp();
    device.addDropRule();
    a.mount('vol');
    a.partition();
    a.write('vol');
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

  it('a write of a slow disk that lands after the newer mount is a double write', async () => {
    const { clock, device, a, b } = setUp();
    device.writeServiceMs = 15_000;
    a.mount('vol');
    a.write('vol');
    device.writeServiceMs = 0;
    b.mount('vol');
    await clock.advance(15_000);
    expect(device.oracle.violations).toMatchObject([{ host: 'node-a', hadNewerWritten: false }]);
  });

  it('a mount that cannot reach the device begins nothing', () => {
    const { device, a, b } = setUp();
    a.partition();
    expect(a.mount('vol')).toBe(false);
    b.mount('vol');
    b.write('vol');
    expect(device.oracle.doubleWrites).toBe(0);
  });

  it('a shared volume is not judged', () => {
    const { device, a, b } = setUp();
    device.oracle.share('vol');
    for (const host of [a, b]) host.mount('vol');
    for (const host of [a, b, a]) host.write('vol');
    expect(device.oracle.doubleWrites).toBe(0);
  });
});
