import { describe, expect, it } from 'vitest';
import { setUp, states } from './data-plane.test-support.ts';

describe('a host that is cut off', () => {
  it('keeps its pending writes and repeats them once it is healed', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    a.mount('vol');
    a.partition();
    expect([a.write('vol'), a.write('vol')]).toEqual([false, false]);
    await clock.advance(120_000);
    expect(a.dirtyWrites('vol')).toBe(2);
    expect(device.oracle.writes('vol')).toEqual({});
    a.heal();
    await clock.advance(20_000);
    expect(a.dirtyWrites('vol')).toBe(0);
    expect(device.oracle.writes('vol')).toEqual({ 'node-a': 2 });
  });

  it('keeps them through umount and disconnect, and leaves when they are written', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    a.mount('vol');
    a.partition();
    a.write('vol');
    a.disconnect('vol');
    expect(a.write('vol')).toBe(false); // nothing is mounted
    await clock.advance(60_000);
    expect([a.slots, a.dirtyWrites('vol')]).toEqual([['vol'], 1]);
    a.heal();
    await clock.advance(20_000);
    expect(device.oracle.writes('vol')).toEqual({ 'node-a': 1 });
    expect([a.slots, device.target.controllers]).toEqual([[], []]);
  });

  it('keeps its connection when the cut is short, and TCP delivers what was lost', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    const [controller] = device.target.controllers;
    a.partition();
    a.write('vol');
    await clock.advance(2_000);
    a.heal();
    await clock.advance(2_000);
    expect(device.target.controllers[0] === controller).toBe(true);
    expect(a.dirtyWrites('vol')).toBe(0);
  });

  it.each(['to-target', 'both'] as const)('%s: no row of it is left until it is healed', async (cut) => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    await clock.advance(10_000);
    a.partition(cut);
    await clock.advance(60_000);
    expect(states(device)).toEqual([]);
    a.heal();
    await clock.advance(15_000);
    expect(states(device)).toEqual(['established', 'established']);
  });

  it('to-host: its attempts to connect show as syn-received for half a minute', async () => {
    const { clock, device, a } = setUp({}, { reconnectDelayMs: 5_000 });
    a.connect('vol');
    await clock.advance(10_000);
    a.partition('to-host');
    const seen = new Set<string>();
    for (let s = 0; s < 60; s++) {
      await clock.advance(1_000);
      for (const state of states(device)) seen.add(state);
    }
    expect([...seen]).toEqual(['established', 'close', 'syn-received']);
    expect(states(device)).toEqual([]);
  });

  it('a kernel that hangs sends nothing, loses nothing, and goes on', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    a.hang();
    expect(a.write('vol')).toBe(false);
    await clock.advance(60_000);
    expect(device.target.controllers).toEqual([]);
    a.resume();
    await clock.advance(30_000);
    expect(a.connected('vol')).toBe(true);
  });

  it('a reboot leaves old entries beside new ones', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    await clock.advance(3_000);
    a.boot();
    a.connect('vol');
    expect(states(device)).toEqual(['established', 'established', 'established', 'established']);
    await clock.advance(10_000);
    expect(states(device)).toEqual(['close', 'close', 'established', 'established']);
    await clock.advance(10_020);
    expect(states(device)).toEqual(['established', 'established']);
  });

  it('a disconnect by the host closes at once', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    a.disconnect('vol');
    expect([device.target.controllers, a.slots]).toEqual([[], []]);
    expect(states(device)).toEqual(['close', 'close']);
    await clock.advance(10_000);
    expect(states(device)).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});
