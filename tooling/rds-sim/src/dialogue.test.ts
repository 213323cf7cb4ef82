import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { RdsSim, type RdsSimOptions } from './index.ts';

const JSON_OF = (label: string, expression: string) =>
  `:put ("${label}=" . [:serialize to=json options=json.no-string-conversion value=${expression}])`;
const SESSIONS = JSON_OF(
  'sessions',
  '[/ip/firewall/connection print detail as-value where protocol=tcp and dst-port=4420]',
);
const FENCES = JSON_OF(
  'fences',
  '[/ip/firewall/address-list print detail as-value where list=reattach-fenced]',
);
const COMMENT = 'reattach/1 id=00c0ffee node=node-a uid=- boot=- at=1767225600000';

const add = (n: number) => `/ip/firewall/address-list/add list=l address=10.0.0.${n}`;

async function start(options: RdsSimOptions = {}): Promise<RdsSim & { clock: FakeClock }> {
  const clock = new FakeClock();
  const sim = await RdsSim.start({ clock, tracking: { enabled: 'yes' }, ...options });
  sim.device.addVolume({ slot: 'pvc-1', nqn: 'nqn.2000-02.com.mikrotik:pvc-1', sizeBytes: 50 * 1024 ** 3 });
  return Object.assign(sim, { clock });
}

/** The JSON behind `label=` of a one-line answer. */
function jsonOf(output: string): unknown {
  return JSON.parse(output.slice(output.indexOf('=') + 1));
}

describe('the dialogue', () => {
  it('reads resource and tracking as records', async () => {
    await using sim = await start();
    await sim.clock.advance(90_061_000);
    expect(jsonOf(sim.run(JSON_OF('resource', '[/system/resource get]')))).toMatchObject({
      version: '7.24.2 (stable)',
      uptime: '1d1h1m1s',
      'board-name': 'RDS2216-2XG-4S+4XS-2XQ',
    });
    expect(jsonOf(sim.run(JSON_OF('tracking', '[/ip/firewall/connection/tracking get]')))).toMatchObject({
      enabled: 'yes',
      'active-ipv4': true,
      'tcp-established-timeout': '1d',
      'tcp-unacked-timeout': '5m',
      'loose-tcp-tracking': true,
    });
  });

  it('reads sessions with ports in keys of their own', async () => {
    await using sim = await start();
    sim.device.addHost({ name: 'node-a', addresses: ['10.0.5.1'], ioQueues: 0 }).connect('pvc-1');
    await sim.clock.advance(7_000);
    expect(jsonOf(sim.run(SESSIONS))).toEqual([
      expect.objectContaining({
        '.id': '*1',
        protocol: 'tcp',
        'src-address': '10.0.5.1',
        'src-port': 32_768,
        'dst-address': '10.0.0.10',
        'dst-port': 4420,
        'tcp-state': 'established',
        'seen-reply': true,
        assured: true,
        fasttrack: false,
        'hw-offload': false,
        timeout: '23h59m59s',
        'orig-packets': 44, // 36 to connect, and 4 keep-alives of 2 packets
      }),
    ]);
  });

  it('spells addresses, times, single and empty results as the dialect says', async () => {
    await using sim = await start({
      addressStyle: 'with-port',
      durationStyle: 'date',
      singleRow: 'object',
      emptyRows: 'empty-string',
    });
    expect(sim.run(SESSIONS)).toBe('sessions=""\r\n');
    sim.device.addHost({ name: 'node-a', addresses: ['10.0.5.1'], ioQueues: 0 }).connect('pvc-1');
    const session = jsonOf(sim.run(SESSIONS));
    expect(session).toMatchObject({ 'src-address': '10.0.5.1:32768', timeout: '1970-01-02 00:00:00' });
    expect(session).not.toHaveProperty('src-port');
    await sim.clock.advance(7_000);
    expect(jsonOf(sim.run(SESSIONS))).toMatchObject({ timeout: '23:59:59' });
    await using mapped = await start({ addressStyle: 'ipv4-mapped', durationStyle: 'clock' });
    mapped.device.addHost({ name: 'node-a', addresses: ['10.0.5.1'], ioQueues: 0 }).connect('pvc-1');
    expect(jsonOf(mapped.run(SESSIONS))).toEqual([
      expect.objectContaining({ 'src-address': '::ffff:10.0.5.1', timeout: '1d00:00:00' }),
    ]);
  });

  it('adds a fence in silence, shows it, and takes it away by its exact comment', async () => {
    await using sim = await start();
    const fence = `/ip/firewall/address-list/add list=reattach-fenced address=10.0.5.1 comment="${COMMENT}"; :put "END-1"`;
    expect(sim.run(fence)).toBe('END-1\r\n');
    expect(jsonOf(sim.run(FENCES))).toEqual([
      {
        '.id': '*1',
        disabled: false,
        dynamic: false,
        comment: COMMENT,
        list: 'reattach-fenced',
        address: '10.0.5.1',
        'creation-time': '2026-01-01 00:00:00',
      },
    ]);
    expect(sim.run(fence)).toBe('failure: already have such entry\r\n');
    const remove = (comment: string) =>
      sim.run(
        `/ip/firewall/address-list/remove [find where list=reattach-fenced and address=10.0.5.1 and comment="${comment}"]; :put "END-2"`,
      );
    expect(remove(`${COMMENT}0`)).toBe('END-2\r\n');
    expect(sim.device.addressList.entries).toHaveLength(1);
    expect(remove(COMMENT)).toBe('END-2\r\n');
    expect(sim.device.addressList.entries).toEqual([]);
    expect(sim.run(FENCES)).toBe('fences=[]\r\n');
  });

  it('refuses a duplicate behind a disabled or dynamic entry as well', async () => {
    await using sim = await start();
    sim.device.addressList.add({ list: 'reattach-fenced', address: '10.0.5.1', disabled: true });
    sim.device.addressList.add({ list: 'reattach-fenced', address: '10.0.5.2', timeoutMs: 60_000 });
    const fence = (address: string) =>
      sim.run(`/ip/firewall/address-list/add list=reattach-fenced address=${address}`);
    expect(fence('10.0.5.1/32')).toBe('failure: already have such entry\r\n');
    expect(fence('10.0.5.2')).toBe('failure: already have such entry\r\n');
    expect(jsonOf(sim.run(FENCES))).toEqual([
      expect.objectContaining({ address: '10.0.5.1', disabled: true, dynamic: false }),
      expect.objectContaining({ address: '10.0.5.2', disabled: false, dynamic: true, timeout: '1m' }),
    ]);
    await sim.clock.advance(60_000);
    expect(fence('10.0.5.2')).toBe('');
  });

  it('installs the drop rule in front, and reads rules in their order', async () => {
    await using sim = await start();
    const rule =
      '/ip/firewall/raw/add chain=prerouting action=drop protocol=tcp dst-port=4420 src-address-list=reattach-fenced comment="reattach"';
    expect(sim.run(`${rule} place-before=0; :put END`)).toBe('no such item\r\n');
    expect(sim.run('/ip/firewall/raw/add chain=prerouting action=notrack protocol=udp')).toBe('');
    expect(sim.run(`${rule} place-before=0; :put END`)).toBe('END\r\n');
    const rules = jsonOf(
      sim.run(JSON_OF('raw', '[/ip/firewall/raw print detail as-value where chain=prerouting]')),
    );
    expect(rules).toEqual([
      expect.objectContaining({
        action: 'drop',
        'dst-port': '4420',
        'src-address-list': 'reattach-fenced',
        disabled: false,
        invalid: false,
      }),
      expect.objectContaining({ action: 'notrack' }),
    ]);
    await using lenient = await start({ placeBeforeInEmpty: true });
    expect(lenient.run(`${rule} place-before=0; :put END`)).toBe('END\r\n');
  });

  it('marks a rule for an interface the device lacks as invalid', async () => {
    await using sim = await start();
    sim.run('/ip/firewall/raw/add chain=prerouting action=drop in-interface=ether99');
    expect(sim.device.raw.rules.map(({ invalid }) => invalid)).toEqual([true]);
  });

  it('reads exports and their counters', async () => {
    await using sim = await start();
    const host = sim.device.addHost({ name: 'node-a', addresses: ['10.0.5.1'] });
    host.connect('pvc-1');
    host.write('pvc-1', 512);
    const read = (mode: string) =>
      jsonOf(sim.run(JSON_OF('x', `[/disk print ${mode} as-value where nvme-tcp-export=yes]`)));
    expect(read('detail')).toEqual([
      expect.objectContaining({
        '.id': '*2',
        slot: 'pvc-1',
        size: 53_687_091_200,
        'nvme-tcp-export': true,
        'nvme-tcp-server-port': 4420,
        'nvme-tcp-server-nqn': 'nqn.2000-02.com.mikrotik:pvc-1',
      }),
    ]);
    expect(read('stats-detail')).toEqual([
      {
        '.id': '*2',
        slot: 'pvc-1',
        'read-ops': 0,
        'read-bytes': 0,
        'write-ops': 1,
        'write-bytes': 512,
        'in-flight-ops': 0,
      },
    ]);
  });

  it('reads what tells that packets can pass unseen', async () => {
    await using sim = await start();
    const read = (menu: string) => jsonOf(sim.run(JSON_OF('x', `[${menu}]`)));
    const bridges = '/interface/bridge print detail as-value';
    expect(read('/ip/settings get')).toMatchObject({ 'ipv4-fasttrack-active': false });
    expect(read(bridges)).toEqual([]);
    sim.device.addHost({ name: 'node-a', addresses: ['10.0.5.1'] }).connect('pvc-1');
    sim.device.offload = 'hw-offload';
    expect(read('/ip/settings get')).toMatchObject({ 'ipv4-fasttrack-active': true });
    expect(jsonOf(sim.run(SESSIONS))).toMatchObject([{ fasttrack: true, 'hw-offload': true }, {}]);
    sim.device.offload = 'bridge';
    expect(read(bridges)).toMatchObject([{ name: 'bridge-storage', 'fast-forward': true }]);
    expect(read('/interface/bridge/port print detail as-value')).toMatchObject([{ interface: 'ether1' }]);
    expect(read('/interface/bridge/settings get')).toMatchObject({ 'use-ip-firewall': false });
    sim.run('/interface/bridge/settings/set use-ip-firewall=yes');
    expect(sim.device.offload).toBe('none');
  });

  it.each([
    [false, []],
    [true, ['4420 10.0.5.1:32768']],
  ])('lists connections of services, those to exports only with the option: %s', async (listed, expected) => {
    await using sim = await start({ servicesListExportSockets: listed });
    sim.device.addHost({ name: 'node-a', addresses: ['10.0.5.1'], ioQueues: 0 }).connect('pvc-1');
    const rows = jsonOf(
      sim.run(JSON_OF('services', '[/ip/service print detail as-value where dynamic]')),
    ) as readonly Record<string, unknown>[];
    expect(rows.map((row) => `${String(row['port'])} ${String(row['remote'])}`)).toEqual(expected);
    expect(rows.every((row) => row['connection'] === true && row['proto'] === 'tcp')).toBe(true);
  });

  it('shows an entry without a reply as such, and a reversed one as it is', async () => {
    await using sim = await start({ writeServiceMs: 100 });
    const host = sim.device.addHost({ name: 'node-a', addresses: ['10.0.5.1'], ioQueues: 0 });
    host.connect('pvc-1');
    host.write('pvc-1');
    sim.run('/ip/firewall/connection/remove [find]');
    await sim.clock.advance(100);
    const all = JSON_OF('x', '[/ip/firewall/connection print detail as-value]');
    expect(jsonOf(sim.run(all))).toMatchObject([
      {
        'src-address': '10.0.0.10',
        'src-port': 4420,
        'dst-port': 32_768,
        'seen-reply': false,
        timeout: '5m',
      },
    ]);
  });

  it('prints a matcher that the model does not know', async () => {
    await using sim = await start();
    sim.device.addDropRule().set('a-matcher-of-a-later-version', 'x');
    expect(jsonOf(sim.run(JSON_OF('raw', '[/ip/firewall/raw print detail as-value]')))).toMatchObject([
      { 'a-matcher-of-a-later-version': 'x' },
    ]);
  });

  it('knows the dialect without :serialize', async () => {
    await using sim = await start({ serialize: 'missing' });
    expect(sim.run(`${SESSIONS}; :put END`)).toBe('bad command name serialize (line 1 column 23)\r\n');
    expect(
      sim.run(
        ':foreach i in=[/disk find where nvme-tcp-export=yes] do={:put ("exports|" . [/disk get $i slot] . "|" . [/disk get $i nvme-tcp-server-nqn])}; :put "END-1"',
      ),
    ).toBe('exports|pvc-1|nqn.2000-02.com.mikrotik:pvc-1\r\nEND-1\r\n');
    await using plain = await start({ serialize: 'plain' });
    expect(plain.run(`${SESSIONS}; :put END`)).toMatch(/^bad parameter options \(line 1 column \d+\)\r\n$/);
  });

  it('a run-time error keeps what was done and drops the rest; a syntax error does nothing', async () => {
    await using sim = await start();
    expect(sim.run(`${add(1)}; /disk get no-such slot; ${add(2)}; :put END`)).toBe('no such item\r\n');
    expect(sim.device.addressList.entries).toHaveLength(1);
    const bad = `${add(3)}; /disk/nonsense/print; :put END`;
    expect(sim.run(bad)).toBe(`syntax error (line 1 column ${bad.indexOf('nonsense') + 1})\r\n`);
    expect(sim.device.addressList.entries).toHaveLength(1);
  });

  it('refuses a command that is too long', async () => {
    await using sim = await start({ maxCommandBytes: 20 });
    expect(sim.run(`:put "${'x'.repeat(20)}"`)).toBe('failure: maximum message size exceeded\r\n');
  });
});
