import { describe, expect, it } from 'vitest';
import { DAY_MS, setUp, states } from '../nvme/data-plane.test-support.ts';

describe('a reboot of the device', () => {
  it('loses dynamic entries, tracking, sockets and counters, and keeps rules and static entries', async () => {
    const { clock, device, a } = setUp({ writeServiceMs: 1_000 });
    device.addDropRule();
    device.addressList.add({ list: 'reattach-fenced', address: '10.0.5.9' });
    device.addressList.add({ list: 'reattach-fenced', address: '10.0.5.8', timeoutMs: DAY_MS });
    a.connect('vol');
    a.write('vol');
    device.stop();
    expect(a.write('vol')).toBe(false);
    device.boot();
    expect([states(device), device.target.sockets]).toEqual([[], []]);
    expect(device.addressList.entries.map(({ address }) => address)).toEqual(['10.0.5.9']);
    expect(device.raw.rules).toHaveLength(1);
    await clock.advance(20_000);
    expect(a.connected('vol')).toBe(true);
    expect(device.oracle.writes('vol')).toEqual({ 'node-a': 2 }); // the unfinished write was lost and repeated
  });

  it('an idle host is back once its keep-alive was reset', async () => {
    const { clock, device, a } = setUp({}, { reconnectDelayMs: 5_000 });
    a.connect('vol');
    await clock.advance(10_000);
    device.stop();
    await clock.advance(20_000);
    device.boot();
    await clock.advance(8_100);
    expect(states(device)).toEqual(['established', 'established']);
  });
});

it('disposal ends every timer, whatever is going on', async () => {
  const { clock, device, a, b } = setUp({ writeServiceMs: 15_000 });
  device.addDropRule();
  for (const host of [a, b]) host.connect('vol');
  a.write('vol');
  b.write('vol');
  a.partition('to-host');
  device.addressList.add({ list: 'reattach-fenced', address: '10.0.5.2', timeoutMs: 60_000 });
  await clock.advance(12_000);
  expect(clock.pendingTimers).toBeGreaterThan(0);
  device[Symbol.dispose]();
  expect(clock.pendingTimers).toBe(0);
});
