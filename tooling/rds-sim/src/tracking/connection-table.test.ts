import { describe, expect, it } from 'vitest';
import { ADDRESS, ages, DAY_MS, remaining, setUp, states } from '../nvme/data-plane.test-support.ts';

describe('connection tracking', () => {
  it('freezes its entries while it is off: they age, and are refreshed when it is on again', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    await clock.advance(3_000);
    device.connections.settings.enabled = 'no';
    await clock.advance(60_000);
    expect(ages(device, clock)[0]).toBeGreaterThan(60_000);
    device.connections.settings.enabled = 'yes';
    await clock.advance(3_000);
    expect(ages(device, clock)[0]).toBeLessThanOrEqual(1_250);
  });

  it('auto: a raw rule alone does not start it, unless the device is said to do so', () => {
    const { device, a } = setUp({ tracking: { enabled: 'auto' } });
    device.addDropRule();
    a.connect('vol');
    expect([device.connections.active, states(device)]).toEqual([false, []]);
    device.filter.add({ chain: 'input', action: 'accept' });
    a.write('vol'); // learned in mid-stream
    expect([device.connections.active, states(device)]).toEqual([true, ['established']]);
    const other = setUp({ tracking: { enabled: 'auto' }, rawRuleEnablesTracking: true });
    other.device.addDropRule();
    expect(other.device.connections.active).toBe(true);
  });

  it('strict tracking does not learn in mid-stream', () => {
    const { device, a } = setUp({ tracking: { enabled: 'yes', looseTcpTracking: false } });
    a.connect('vol');
    device.connections.clear();
    expect(a.write('vol')).toBe(true);
    expect(states(device)).toEqual([]);
  });

  it('a table that was flushed is learned again: 5 minutes without a reply, then a day', async () => {
    const { clock, device, a } = setUp({ writeServiceMs: 100 });
    a.connect('vol');
    await clock.advance(1_000);
    device.connections.clear();
    await clock.advance(1_500);
    const [admin] = device.connections.entries;
    expect([admin?.isHostOriginal, admin?.hasSeenReply]).toEqual([true, true]);
    expect(remaining(device, clock)).toHaveLength(1); // an idle I/O queue shows nothing
    a.write('vol');
    const io = device.connections.entries[1];
    expect([io?.hasSeenReply, io?.isAssured]).toEqual([true, false]);
  });

  it('an acknowledgement that is learned first has no reply', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    a.write('vol');
    device.connections.clear();
    await clock.advance(50);
    expect(remaining(device, clock)).toEqual([300_000 - 10]);
    expect(device.connections.entries[0]?.hasSeenReply).toBe(false);
  });

  it('a row is reversed when the first packet after a flush came from the target', async () => {
    const { clock, device, a } = setUp({ writeServiceMs: 100 });
    a.connect('vol');
    a.write('vol');
    await clock.advance(60);
    device.connections.clear();
    await clock.advance(60);
    const [entry] = device.connections.entries;
    expect(entry).toMatchObject({ srcAddress: '10.0.0.10', srcPort: 4420, dstAddress: ADDRESS });
  });

  it.each(['fasttrack', 'hw-offload', 'bridge'] as const)(
    'packets past the firewall by %s refresh nothing, and no fence holds them',
    async (offload) => {
      const { clock, device, a } = setUp();
      device.addDropRule();
      a.connect('vol');
      device.offload = offload;
      device.addressList.add({ list: 'reattach-fenced', address: ADDRESS });
      await clock.advance(30_000);
      expect(a.write('vol')).toBe(true);
      expect(ages(device, clock)).toEqual([30_000, 30_000]);
    },
  );

  it('sees connections through the device to another target', async () => {
    const { clock, device } = setUp();
    const flow = device.forward({ srcAddress: '10.0.7.1', dstAddress: '10.0.8.1' });
    await clock.advance(60_000);
    const [entry] = device.connections.entries;
    expect(entry).toMatchObject({ srcAddress: '10.0.7.1', dstAddress: '10.0.8.1', dstPort: 4420 });
    expect(DAY_MS - ((entry?.expiresAtMs ?? 0) - clock.now())).toBeLessThanOrEqual(1_250);
    flow[Symbol.dispose]();
    await clock.advance(60_000);
    expect(DAY_MS - ((device.connections.entries[0]?.expiresAtMs ?? 0) - clock.now())).toBeGreaterThanOrEqual(
      60_000,
    );
  });
});
