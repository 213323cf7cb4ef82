import { describe, expect, it } from 'vitest';
import { ADDRESS, ages, DAY_MS, setUp, states } from '../nvme/data-plane.test-support.ts';

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
