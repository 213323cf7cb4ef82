import { describe, expect, it } from 'vitest';
import { ages, setUp, states } from './data-plane.test-support.ts';

describe('keep-alives', () => {
  it('an idle host refreshes the entry of its admin queue alone', async () => {
    const { clock, device, a } = setUp();
    expect(a.connect('vol')).toBe(true);
    await clock.advance(62_000);
    const [admin = 0, io] = ages(device, clock);
    expect(admin).toBeLessThanOrEqual(1_250);
    expect(io).toBe(62_000);
  });

  it('cost no timer while packets pass', async () => {
    const { clock, a } = setUp();
    a.connect('vol');
    a.write('vol');
    await clock.advance(60_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('a host that writes sends none', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    for (let i = 0; i < 60; i++) {
      a.write('vol');
      await clock.advance(500);
    }
    expect(ages(device, clock)[0]).toBe(30_000);
  });

  it('come at the interval of the host: none for half of a long time-out after it connected', async () => {
    const { clock, device, a } = setUp({}, { keepAliveTimeoutMs: 120_000 });
    a.connect('vol');
    await clock.advance(59_000);
    expect(ages(device, clock)[0]).toBe(59_000);
    await clock.advance(2_000);
    expect(ages(device, clock)[0]).toBeLessThan(1_100);
  });

  it('an interval that would lose the connection is refused', () => {
    expect(() => setUp({}, { keepAliveIntervalMs: 4_000 })).toThrow(
      'keepAliveIntervalMs: expected more than 0 and at most half of keepAliveTimeoutMs (5000), got 4000',
    );
  });

  it('without a time-out there are none, and the target never drops the host', async () => {
    const { clock, device, a } = setUp({}, { keepAliveTimeoutMs: 0 });
    a.connect('vol');
    a.powerOff();
    await clock.advance(3_600_000);
    expect(states(device)).toEqual(['established', 'established']);
    expect(device.target.sockets).toHaveLength(2);
  });

  it('are counted at the rules they pass, and as packets of the entry', async () => {
    const { clock, device, a } = setUp();
    const rule = device.raw.add({ chain: 'prerouting', action: 'passthrough' });
    a.connect('vol');
    const before = rule.packets;
    await clock.advance(60_000);
    const [admin] = device.connections.entries;
    expect(rule.packets - before).toBe((admin?.originalPackets ?? 0) - 36);
    expect(rule.packets - before).toBeGreaterThan(90);
  });
});
