import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { Device, type DeviceOptions } from '../device/device.ts';
import type { SimHost, SimHostOptions } from './sim-host.ts';

const DAY_MS = 86_400_000;
const ADDRESS = '10.0.5.1';

function setUp(
  options: Partial<DeviceOptions> = {},
  hostOptions: Partial<SimHostOptions> = {},
): { clock: FakeClock; device: Device; a: SimHost; b: SimHost } {
  const clock = new FakeClock();
  const device = new Device({ clock, tracking: { enabled: 'yes' }, ...options });
  device.addVolume({ slot: 'vol', nqn: 'nqn.vol', sizeBytes: 1024 ** 3 });
  const a = device.addHost({ name: 'node-a', addresses: [ADDRESS], ...hostOptions });
  const b = device.addHost({ name: 'node-b', addresses: ['10.0.5.2'] });
  return { clock, device, a, b };
}

/** What is left of each entry of node-a, ms. */
const remaining = (device: Device, clock: FakeClock): number[] =>
  device.connections.entries
    .filter(({ flow }) => flow.hostAddress === ADDRESS)
    .map(({ expiresAtMs }) => expiresAtMs - clock.now());

/** How long ago a packet of each connection of node-a passed, ms. */
const ages = (device: Device, clock: FakeClock): number[] =>
  remaining(device, clock).map((left) => DAY_MS - left);

const states = (device: Device): string[] =>
  device.connections.entries
    .filter(({ flow }) => flow.hostAddress === ADDRESS)
    .map(({ tcpState }) => tcpState);

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
    await clock.advance(15_000);
    expect(device.oracle.totalWrites).toBe(1);
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

describe('a fence', () => {
  it('drops packets of established connections before tracking sees them', async () => {
    const { clock, device, a } = setUp();
    const rule = device.addDropRule();
    a.connect('vol');
    a.mount('vol');
    expect(a.write('vol')).toBe(true);
    await clock.advance(1_000);
    device.addressList.add({ list: 'reattach-fenced', address: ADDRESS });
    const [before, dropped] = [device.connections.entries[1]?.expiresAtMs, rule.packets];
    expect(a.write('vol')).toBe(false);
    await clock.advance(4_000);
    expect(device.connections.entries[1]?.expiresAtMs).toBe(before);
    expect(rule.packets - dropped).toBeGreaterThan(3);
    expect(device.volume('vol')?.writeOps).toBe(1);
    expect(device.blocks(ADDRESS)).toBe(true);
    expect(device.blocks('10.0.5.2')).toBe(false);
  });

  it('lets the target drop the host; un-fenced without a reboot, it replays within a reconnect', async () => {
    const { clock, device, a } = setUp({}, { reconnectDelayMs: 5_000 });
    device.addDropRule();
    a.connect('vol');
    const fence = device.addressList.add({ list: 'reattach-fenced', address: ADDRESS });
    a.write('vol');
    await clock.advance(60_000);
    expect([device.target.controllers, states(device)]).toEqual([[], []]);
    device.addressList.remove(fence);
    await clock.advance(8_100);
    expect(device.target.controllers).toHaveLength(1);
    expect(device.oracle.writes('vol')).toEqual({ 'node-a': 1 });
  });

  it('that is disabled, timed out, in another list or for another port does not cut', async () => {
    const { clock, device, a } = setUp();
    const rule = device.addDropRule();
    const { addressList } = device;
    a.connect('vol');
    const entry = addressList.add({ list: 'reattach-fenced', address: '10.0.5.0/24', timeoutMs: 5_000 });
    expect(device.blocks(ADDRESS)).toBe(true);
    await clock.advance(5_000);
    expect([device.blocks(ADDRESS), addressList.entries]).toEqual([false, []]);
    addressList.remove(entry);
    addressList.add({ list: 'other', address: ADDRESS });
    expect(device.blocks(ADDRESS)).toBe(false);
    const fence = addressList.add({ list: 'reattach-fenced', address: ADDRESS });
    expect(device.blocks(ADDRESS)).toBe(true);
    addressList.change(fence, { disabled: true });
    expect(device.blocks(ADDRESS)).toBe(false);
    addressList.change(fence, { disabled: false });
    rule.set('dst-port', '4421-4430,9999');
    expect(device.blocks(ADDRESS)).toBe(false);
    rule.set('dst-port', '4000-5000');
    expect(device.blocks(ADDRESS)).toBe(true);
    rule.disabled = true;
    expect(device.blocks(ADDRESS)).toBe(false);
  });

  it('rows that contain no address of a host cut no host: a domain name, a foreign network', () => {
    const { device, a } = setUp();
    device.addDropRule();
    for (const address of ['node-a.example.test', '192.0.2.0/24', '10.0.6.1-10.0.6.9']) {
      device.addressList.add({ list: 'reattach-fenced', address });
    }
    expect(a.connect('vol')).toBe(true);
  });

  it('an accept rule before the drop rule lets the host through', () => {
    const { device, a } = setUp();
    const drop = device.addDropRule();
    device.raw.add({ chain: 'prerouting', action: 'accept' }, { before: drop });
    device.addressList.add({ list: 'reattach-fenced', address: ADDRESS });
    expect(a.connect('vol')).toBe(true);
  });

  it('a jump to a chain of its own drops as well, unless that chain returns first', () => {
    const { device } = setUp();
    const list = { 'src-address-list': 'reattach-fenced' };
    device.addressList.add({ list: 'reattach-fenced', address: ADDRESS });
    device.raw.add({ chain: 'prerouting', action: 'jump', 'jump-target': 'fence', ...list });
    expect(device.blocks(ADDRESS)).toBe(false);
    const drop = device.raw.add({ chain: 'fence', action: 'drop' });
    expect(device.blocks(ADDRESS)).toBe(true);
    device.raw.add({ chain: 'fence', action: 'return', port: '4420' }, { before: drop });
    expect(device.blocks(ADDRESS)).toBe(false);
    device.raw.add({ chain: 'fence', action: 'jump', 'jump-target': 'fence' }, { before: drop }); // in a circle
    expect(device.blocks(ADDRESS)).toBe(false);
  });

  it.each(['tcp-flags', 'a-matcher-of-a-later-version'])(
    'a rule with the matcher %s, which the model does not know, never hits',
    (matcher) => {
      const { device } = setUp();
      const rule = device.addDropRule();
      device.addressList.add({ list: 'reattach-fenced', address: ADDRESS });
      rule.set('in-interface-list', 'all');
      expect(device.blocks(ADDRESS)).toBe(true);
      rule.set(matcher, '!syn');
      expect(device.blocks(ADDRESS)).toBe(false);
      rule.unset(matcher);
      expect(device.blocks(ADDRESS)).toBe(true);
    },
  );

  it('a filter drop cuts too, but tracking still sees the packets of connections it knows', async () => {
    const { clock, device, a } = setUp();
    a.connect('vol');
    await clock.advance(3_000);
    device.filter.add({ chain: 'input', action: 'drop', protocol: 'tcp', 'dst-port': '4420' });
    expect(a.write('vol')).toBe(false);
    expect(ages(device, clock)[1]).toBe(DAY_MS - 300_000);
  });
});

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
