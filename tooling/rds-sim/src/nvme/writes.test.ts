import { describe, expect, it } from 'vitest';
import { DAY_MS, remaining, setUp } from './data-plane.test-support.ts';

describe('writes', () => {
  it('count when they are finished', async () => {
    const { clock, device, a } = setUp({ writeServiceMs: 100, inFlightOpsCount: true });
    const volume = device.volume('vol');
    a.connect('vol');
    a.write('vol', 1000);
    a.write('vol', 24);
    expect([volume?.writeOps, volume?.inFlightOps]).toEqual([0, 2]);
    await clock.advance(100);
    expect([volume?.writeOps, volume?.writeBytes, volume?.inFlightOps]).toEqual([2, 1024, 0]);
  });

  it('one volume may have a slower disk than the rest of the device', async () => {
    const { clock, device, a } = setUp();
    device.addVolume({ slot: 'slow', nqn: 'nqn.slow', sizeBytes: 1, writeServiceMs: 15_000 });
    for (const slot of ['vol', 'slow']) {
      a.connect(slot);
      a.write(slot);
    }
    expect([device.oracle.writes('vol'), device.oracle.writes('slow')]).toEqual([{ 'node-a': 1 }, {}]);
    await clock.advance(15_000);
    expect(device.oracle.writes('slow')).toEqual({ 'node-a': 1 });
  });

  it('an answer is acknowledged 40 ms later: until then the entry has 5 minutes', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    a.write('vol');
    expect(remaining(device, clock)).toEqual([DAY_MS, 300_000]);
    await clock.advance(40);
    expect(remaining(device, clock)).toEqual([DAY_MS - 40, DAY_MS]);
  });

  it('an answer that a dead host does not acknowledge is repeated, which refreshes the entry', async () => {
    const { clock, device, a } = setUp({ writeServiceMs: 100 });
    a.connect('vol');
    a.write('vol');
    a.powerOff();
    await clock.advance(100 + 200 + 400 + 50);
    expect(remaining(device, clock)[1]).toBe(300_000 - 50);
  });

  it('a host without power loses what it had not written', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    a.partition();
    a.write('vol');
    const { bootId } = a;
    a.boot();
    a.heal();
    await clock.advance(60_000);
    expect(a.bootId).not.toBe(bootId);
    expect(a.connected('vol')).toBe(false);
    expect(device.oracle.totalWrites).toBe(0);
  });

  it('the same write counts twice when its answer was lost: the host repeats it', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    await clock.advance(1_000);
    a.partition('to-host');
    expect(a.write('vol')).toBe(true);
    expect(a.dirtyWrites('vol')).toBe(1);
    await clock.advance(20_000);
    a.heal();
    await clock.advance(20_000);
    expect(a.dirtyWrites('vol')).toBe(0);
    expect(device.oracle.writes('vol')).toEqual({ 'node-a': 2 });
  });
});
