import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { Device, type DeviceOptions } from './device.ts';
import type { SimHost } from './sim-host.ts';

const DAY_MS = 86_400_000;

function setUp(options: Partial<DeviceOptions> = {}): {
  clock: FakeClock;
  device: Device;
  a: SimHost;
  b: SimHost;
} {
  const clock = new FakeClock();
  const device = new Device({ clock, tracking: { enabled: 'yes' }, ...options });
  device.addVolume({ slot: 'vol', nqn: 'nqn.vol', sizeBytes: 1024 ** 3 });
  const a = device.addHost({ name: 'node-a', addresses: ['10.0.5.1'] });
  const b = device.addHost({ name: 'node-b', addresses: ['10.0.5.2'] });
  return { clock, device, a, b };
}

/** How long ago a packet of each of the host's connections passed, ms. */
function ages(device: Device, clock: FakeClock, address: string): number[] {
  return device.connections.entries
    .filter((entry) => entry.srcAddress === address)
    .map((entry) => DAY_MS - (entry.expiresAtMs - clock.now()));
}

describe('Device and SimHost', () => {
  it('tracks an admin and an I/O connection per controller; keep-alives refresh the first alone', async () => {
    const { clock, device, a } = setUp();
    expect(a.connect('vol')).toBe(true);
    await clock.advance(62_000);
    expect(ages(device, clock, '10.0.5.1')).toEqual([2_000, 62_000]);
    a.write('vol');
    expect(ages(device, clock, '10.0.5.1')).toEqual([2_000, 0]);
  });

  it('powered off -> entries stay and age, and end after tcp-established-timeout', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    a.powerOff();
    await clock.advance(DAY_MS - 1);
    expect(ages(device, clock, '10.0.5.1')).toEqual([DAY_MS - 1, DAY_MS - 1]);
    await clock.advance(1);
    expect(ages(device, clock, '10.0.5.1')).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('disconnected properly -> entries end 10 s later', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    a.disconnect('vol');
    expect(device.target.controllers).toEqual([]);
    expect(device.connections.entries.map(({ state }) => state)).toEqual(['time-wait', 'time-wait']);
    await clock.advance(10_000);
    expect(device.connections.entries).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('dropped by the target for silence -> entries linger, or end 10 s later with targetClose fin', async () => {
    for (const [targetClose, left] of [
      ['lingers', 2],
      ['fin', 0],
    ] as const) {
      const { clock, device, a } = setUp({ targetClose });
      a.connect('vol');
      a.powerOff();
      await clock.advance(10_000);
      expect(device.target.controllers).toHaveLength(1);
      await clock.advance(1);
      expect(device.target.controllers).toEqual([]);
      await clock.advance(10_000);
      expect(device.connections.entries).toHaveLength(left);
    }
  });

  it('a raw drop rule with the host in its list cuts an established connection before tracking sees it', async () => {
    const { clock, device, a } = setUp();
    const rule = device.addDropRule();
    a.connect('vol');
    a.mount('vol');
    expect(a.write('vol')).toBe(true);
    device.addressList.add({ list: 'reattach-fenced', address: '10.0.5.1' });
    expect(a.write('vol')).toBe(false);
    await clock.advance(8_000);
    expect(ages(device, clock, '10.0.5.1')).toEqual([8_000, 8_000]);
    expect(rule.packets).toBe(2); // the write and one keep-alive
    expect(device.volume('vol')?.writeOps).toBe(1);
  });

  it('a fence that is disabled, timed out, in another list or for another port does not cut', async () => {
    const { clock, device, a } = setUp();
    const rule = device.addDropRule();
    a.connect('vol');
    const entry = device.addressList.add({
      list: 'reattach-fenced',
      address: '10.0.5.0/24',
      timeoutMs: 5_000,
    });
    expect(a.write('vol')).toBe(false);
    await clock.advance(5_000);
    expect(a.write('vol')).toBe(true);
    device.addressList.remove(entry);
    device.addressList.add({ list: 'other', address: '10.0.5.1' });
    expect(a.write('vol')).toBe(true);
    const fence = device.addressList.add({ list: 'reattach-fenced', address: '10.0.5.1' });
    expect(a.write('vol')).toBe(false);
    device.addressList.change(fence, { disabled: true });
    expect(a.write('vol')).toBe(true);
    device.addressList.change(fence, { disabled: false });
    rule.properties.set('dst-port', '4421-4430,9999');
    expect(a.write('vol')).toBe(true);
    rule.properties.set('dst-port', '4000-5000');
    expect(a.write('vol')).toBe(false);
    rule.disabled = true;
    expect(a.write('vol')).toBe(true);
  });

  it('an accept rule before the drop rule lets the host through', () => {
    const { device, a } = setUp();
    const drop = device.addDropRule();
    device.raw.add({ chain: 'prerouting', action: 'accept' }, { before: drop });
    device.addressList.add({ list: 'reattach-fenced', address: '10.0.5.1' });
    expect(a.connect('vol')).toBe(true);
  });

  it('a jump to a chain of its own drops as well, unless that chain returns first', () => {
    const { device, a } = setUp();
    const list = { 'src-address-list': 'reattach-fenced' };
    device.addressList.add({ list: 'reattach-fenced', address: '10.0.5.1' });
    device.raw.add({ chain: 'prerouting', action: 'jump', 'jump-target': 'fence', ...list });
    expect(a.connect('vol')).toBe(true);
    const drop = device.raw.add({ chain: 'fence', action: 'drop' });
    expect(a.write('vol')).toBe(false);
    device.raw.add({ chain: 'fence', action: 'return', port: '4420' }, { before: drop });
    expect(a.write('vol')).toBe(true);
    device.raw.add({ chain: 'fence', action: 'jump', 'jump-target': 'fence' }, { before: drop }); // in a circle
    expect(a.write('vol')).toBe(true);
  });

  it('a rule with a matcher the model does not know never hits', () => {
    const { device, a } = setUp();
    const rule = device.addDropRule();
    device.addressList.add({ list: 'reattach-fenced', address: '10.0.5.1' });
    rule.properties.set('in-interface-list', 'all');
    expect(a.connect('vol')).toBe(false);
    rule.properties.set('tcp-flags', '!syn');
    expect(a.connect('vol')).toBe(true);
    expect(rule.packets).toBe(2); // the two queues of the first attempt
  });

  it('a filter drop cuts too, but tracking still sees the packets of connections it knows', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    device.filter.add({ chain: 'input', action: 'drop', protocol: 'tcp', 'dst-port': '4420' });
    await clock.advance(10_000);
    expect(a.write('vol')).toBe(false);
    expect(ages(device, clock, '10.0.5.1')).toEqual([0, 0]);
  });

  it('a partitioned host keeps dirty writes and replays them once it is healed', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    a.mount('vol');
    a.partition();
    expect(a.writeBuffered('vol')).toBe(false);
    expect(a.writeBuffered('vol')).toBe(false);
    await clock.advance(120_000);
    expect(a.dirtyWrites('vol')).toBe(2);
    expect(device.oracle.writes('vol')).toEqual({});
    a.heal();
    await clock.advance(20_000);
    expect(a.dirtyWrites('vol')).toBe(0);
    expect(device.oracle.writes('vol')).toEqual({ 'node-a': 2 });
  });

  it('a partition shorter than the keep-alive timeout keeps the connection', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    const [controller] = device.target.controllers;
    a.partition();
    a.writeBuffered('vol');
    await clock.advance(6_000);
    a.heal();
    await clock.advance(4_000);
    expect(device.target.controllers).toEqual([controller]);
    expect(a.dirtyWrites('vol')).toBe(0);
  });

  it('a reboot of the host loses dirty writes, mount and connection', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    a.partition();
    a.writeBuffered('vol');
    const { bootId } = a;
    a.boot();
    a.heal();
    await clock.advance(60_000);
    expect(a.bootId).not.toBe(bootId);
    expect(a.connected('vol')).toBe(false);
    expect(device.oracle.totalWrites).toBe(0);
  });

  it('a host that is cut long enough is dropped by the target and reconnects when the fence is lifted', async () => {
    const { clock, device, a } = setUp();
    device.addDropRule();
    a.connect('vol');
    const fence = device.addressList.add({ list: 'reattach-fenced', address: '10.0.5.1' });
    await clock.advance(60_000);
    expect(device.target.controllers).toEqual([]);
    device.addressList.remove(fence);
    await clock.advance(20_000);
    expect(device.target.controllers).toHaveLength(1);
    expect(a.write('vol')).toBe(true);
  });

  it('the end of an export cuts all hosts of the volume until it begins again', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    const volume = device.volume('vol');
    if (!volume) throw new Error('no volume');
    device.setExported(volume, false);
    expect(a.write('vol')).toBe(false);
    await clock.advance(30_000);
    expect(a.connected('vol')).toBe(false);
    device.setExported(volume, true);
    await clock.advance(20_000);
    expect(a.write('vol')).toBe(true);
  });

  it('counters move with accepted writes, when they are finished', async () => {
    const { clock, device, a } = setUp({ writeServiceMs: 100 });
    const volume = device.volume('vol');
    a.connect('vol');
    a.write('vol', 1000);
    a.write('vol', 24);
    expect([volume?.writeOps, volume?.inFlightOps]).toEqual([0, 2]);
    await clock.advance(100);
    expect([volume?.writeOps, volume?.writeBytes, volume?.inFlightOps]).toEqual([2, 1024, 0]);
  });

  it('unacknowledged data cuts an entry down to 5 minutes, however fresh it is', async () => {
    const { clock, device, a } = setUp({ writeServiceMs: 100 });
    const remaining = () => device.connections.entries.map(({ expiresAtMs }) => expiresAtMs - clock.now());
    a.connect('vol');
    a.write('vol');
    expect(remaining()).toEqual([DAY_MS, 300_000]);
    await clock.advance(100); // answered and acknowledged
    expect(remaining()).toEqual([DAY_MS - 100, DAY_MS]);
  });

  it('power lost with a write in flight -> the device repeats its answer, which keeps the entry for a quarter of an hour', async () => {
    const { clock, device, a } = setUp({ writeServiceMs: 100 });
    a.connect('vol');
    a.write('vol');
    a.powerOff();
    await clock.advance(100 + 200 + 400 + 50);
    const busy = device.connections.entries.at(-1);
    expect((busy?.expiresAtMs ?? 0) - clock.now()).toBe(300_000 - 50);
    await clock.advance(600_000);
    expect(device.connections.entries).toHaveLength(2);
    await clock.advance(900_000);
    expect(device.connections.entries).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('a partition that ends in time -> the answer is acknowledged after all', async () => {
    const { clock, device, a } = setUp({ writeServiceMs: 100 });
    a.connect('vol');
    a.write('vol');
    a.partition();
    await clock.advance(1_000);
    a.heal();
    a.write('vol');
    await clock.advance(1_000);
    expect(ages(device, clock, '10.0.5.1')[1]).toBe(900);
  });

  it('tracking auto is on while there is a rule; off, nothing is tracked', () => {
    const { device, a } = setUp({ tracking: { enabled: 'auto' } });
    a.connect('vol');
    expect(device.connections.entries).toEqual([]);
    const rule = device.addDropRule();
    expect(a.write('vol')).toBe(true); // learned in mid-stream
    expect(device.connections.entries).toHaveLength(1);
    device.raw.remove(rule);
    expect(device.connections.entries).toEqual([]);
    const other = setUp({ tracking: { enabled: 'auto' }, rawRuleEnablesTracking: false });
    other.device.addDropRule();
    other.a.connect('vol');
    expect(other.device.connections.entries).toEqual([]);
  });

  it('strict tracking does not learn in mid-stream', () => {
    const { device, a } = setUp({ tracking: { enabled: 'yes', looseTcpTracking: false } });
    a.connect('vol');
    device.connections.clear();
    expect(a.write('vol')).toBe(true);
    expect(device.connections.entries).toEqual([]);
  });

  it('a reboot of the device loses dynamic entries and tracking, and keeps rules and static entries', async () => {
    const { clock, device, a } = setUp();
    device.addDropRule();
    device.addressList.add({ list: 'reattach-fenced', address: '10.0.5.9' });
    device.addressList.add({ list: 'reattach-fenced', address: '10.0.5.8', timeoutMs: DAY_MS });
    a.connect('vol');
    a.write('vol');
    device.stop();
    expect(a.write('vol')).toBe(false);
    device.boot();
    expect(device.connections.entries).toEqual([]);
    expect(device.addressList.entries.map(({ address }) => address)).toEqual(['10.0.5.9']);
    expect(device.raw.rules).toHaveLength(1);
    expect(device.volume('vol')?.writeOps).toBe(0);
    await clock.advance(20_000);
    expect(a.write('vol')).toBe(true);
  });
});
