import { describe, expect, it } from 'vitest';
import { setUp, states } from './data-plane.test-support.ts';

describe('the target', () => {
  it('power-off: FIN and RST one to two time-outs later on every queue, entries gone 10 s after that', async () => {
    const { clock, device, a } = setUp({}, { ioQueues: 2 });
    a.connect('vol');
    await clock.advance(20_000);
    a.powerOff();
    await clock.advance(5_000);
    expect(states(device)).toEqual(['established', 'established', 'established']);
    await clock.advance(5_020);
    expect(states(device)).toEqual(['close', 'close', 'close']);
    expect(device.target.controllers).toEqual([]);
    expect(device.target.sockets).toEqual([]);
    await clock.advance(10_020);
    expect(states(device)).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('keeps the socket of a queue, and its entry from closing, until accepted commands are finished', async () => {
    const { clock, device, a } = setUp({ writeServiceMs: 15_000 });
    a.connect('vol');
    await clock.advance(3_000);
    a.write('vol');
    a.powerOff();
    await clock.advance(11_000);
    expect(states(device)).toEqual(['close', 'last-ack']);
    expect(device.target.sockets.map(({ state }) => state)).toEqual(['fin-wait-1']);
    expect(device.volume('vol')).toMatchObject({ writeOps: 0, inFlightOps: 0, unfinishedWrites: 1 });
    await clock.advance(4_100);
    expect(states(device)).toEqual(['close', 'close']);
    expect(device.target.sockets).toEqual([]);
    expect(device.oracle.writes('vol')).toEqual({ 'node-a': 1 });
  });

  it('the entry of a queue vanishes before a disk of 45 s has finished, its socket does not', async () => {
    const { clock, device, a } = setUp({ writeServiceMs: 45_000 });
    a.connect('vol');
    await clock.advance(3_000);
    a.write('vol');
    a.powerOff();
    await clock.advance(40_000);
    expect(states(device)).toEqual([]);
    expect(device.target.sockets).toHaveLength(1);
    expect(device.oracle.totalWrites).toBe(0);
    await clock.advance(5_100);
    expect(device.oracle.totalWrites).toBe(1);
    expect(device.target.sockets).toEqual([]);
    expect(states(device)).toEqual([]); // a RST begins no entry
  });

  it('a host that resets its connection leaves close while a command is unfinished', async () => {
    const { clock, device, a } = setUp({ writeServiceMs: 45_000 });
    a.connect('vol');
    a.write('vol');
    await clock.advance(31_000); // the host's I/O time-out
    expect(states(device)).toContain('close');
    expect(device.oracle.totalWrites).toBe(0);
    expect(device.target.danglingQueues).toBe(1);
    await clock.advance(15_000);
    expect(device.oracle.totalWrites).toBe(1);
    expect(device.target.danglingQueues).toBe(0);
  });

  it('the end of an export closes the connections of all hosts of the volume until it begins again', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    const volume = device.volume('vol');
    if (!volume) throw new Error('no volume');
    device.setExported(volume, false);
    await clock.advance(100);
    expect(a.connected('vol')).toBe(false);
    expect(states(device)).toEqual(['close', 'close']);
    expect(a.write('vol')).toBe(false);
    await clock.advance(30_000);
    device.setExported(volume, true);
    await clock.advance(20_000);
    expect(a.connected('vol')).toBe(true);
    expect(device.oracle.writes('vol')).toEqual({ 'node-a': 1 });
  });
});
