import { describe, expect, it } from 'vitest';
import {
  parseBypass,
  parseExports,
  parseFenceEntries,
  parseOwnAddresses,
  parseRawRules,
  parseResource,
  parseSessions,
  parseStats,
  parseTracking,
} from './rows.ts';

const SESSION = {
  '.id': '*1',
  protocol: 'tcp',
  'src-address': '10.0.5.1',
  'src-port': 48_984,
  'dst-address': '10.0.0.10',
  'dst-port': 4420,
  'tcp-state': 'established',
  timeout: '23h59m52s',
  'orig-packets': 520,
  'repl-packets': 363,
};

function malformed(detail: string) {
  return { ok: false, fault: { code: 'MALFORMED', detail } };
}

describe('parseResource', () => {
  it('takes version and uptime from exactly one record', () => {
    const row = { version: '7.24.2 (stable)', uptime: '1d1h', 'board-name': 'RDS2216' };
    expect(parseResource([row])).toEqual({
      ok: true,
      value: { version: '7.24.2 (stable)', uptimeMs: 90_000_000 },
    });
    expect(parseResource([])).toEqual(malformed('resource has 0 records instead of 1'));
    expect(parseResource([row, row])).toEqual(malformed('resource has 2 records instead of 1'));
    expect(parseResource([{ version: '7.24.2' }])).toEqual(malformed('resource[0].uptime is missing'));
    expect(parseResource([{ ...row, uptime: 'long' }])).toEqual(
      malformed('resource[0].uptime is not a duration'),
    );
  });
});

describe('parseTracking', () => {
  const row = { enabled: 'auto', 'tcp-established-timeout': '1d' };

  it.each([
    [{ ...row, active: true }, { active: true }],
    [{ ...row, 'active-ipv4': 'no' }, { active: false }],
    [{ ...row, 'active-ipv4': false, active: true }, { active: false }],
    [row, {}],
    [
      { ...row, 'tcp-max-retrans-timeout': '1m', 'tcp-unacked-timeout': '10m' },
      { shortenedTimeoutMs: 600_000 },
    ],
    [{ ...row, enabled: true }, { enabled: 'yes' }],
  ])('%j', (given, expected) => {
    const value = {
      enabled: 'auto',
      establishedTimeoutMs: 86_400_000,
      shortenedTimeoutMs: 300_000,
      closingTimeoutMs: 10_000,
      ...expected,
    };
    expect(parseTracking([given])).toEqual({ ok: true, value });
  });

  it('refuses a state it does not know', () => {
    expect(parseTracking([{ ...row, enabled: 'maybe' }])).toMatchObject({ ok: false });
    expect(parseTracking([{ enabled: 'yes' }])).toEqual(
      malformed('tracking[0].tcp-established-timeout is missing'),
    );
  });
});

const DEVICE = '10.0.0.10';

function parse(...rows: readonly Record<string, unknown>[]): ReturnType<typeof parseSessions> {
  return parseSessions(rows, [4420]);
}

describe('parseSessions', () => {
  const expected = {
    address: '10.0.5.1',
    hostPort: 48_984,
    port: 4420,
    state: 'established',
    remainingMs: 86_392_000,
    hostPackets: 520,
    deviceAddress: DEVICE,
    isOffloaded: false,
  };

  it.each([
    ['ports in keys of their own', SESSION],
    [
      'ports in the addresses',
      {
        ...SESSION,
        'src-address': '10.0.5.1:48984',
        'src-port': undefined,
        'dst-address': '10.0.0.10:4420',
        'dst-port': undefined,
      },
    ],
    ['mapped addresses', { ...SESSION, 'src-address': '::ffff:10.0.5.1' }],
    ['everything as text', { ...SESSION, 'dst-port': '4420', 'orig-packets': '520' }],
    ['a clock', { ...SESSION, timeout: '23:59:52' }],
    ['a date', { ...SESSION, timeout: '1970-01-01 23:59:52' }],
  ])('takes %s', (_, row) => {
    expect(parse(row)).toEqual({ rows: [expected], skipped: [] });
  });

  it('takes an entry that begins with a packet of the backend for what it is', () => {
    const reversed = {
      ...SESSION,
      'src-address': '10.0.0.10',
      'src-port': 4420,
      'dst-address': '10.0.5.1',
      'dst-port': 48_984,
    };
    expect(parse(reversed)).toEqual({ rows: [{ ...expected, hostPackets: 363 }], skipped: [] });
  });

  it('leaves out what has nothing to do with an export port, also when the port is missing', () => {
    expect(parse({ ...SESSION, 'dst-port': 22 }, { ...SESSION, 'dst-port': '' })).toEqual({
      rows: [],
      skipped: [],
    });
  });

  it('does without what is optional', () => {
    const { 'orig-packets': _, timeout: __, 'src-port': ___, ...row } = SESSION;
    const rest = { address: '10.0.5.1', port: 4420, state: 'established', deviceAddress: DEVICE };
    expect(parse(row)).toEqual({ rows: [{ ...rest, isOffloaded: false }], skipped: [] });
  });

  it('counts only what ends at an own address, whichever way the entry goes', () => {
    const through = { ...SESSION, 'dst-address': '10.0.7.7' };
    const own = parseSessions([SESSION, through], [4420], [DEVICE]).rows;
    expect(own.map(({ deviceAddress }) => deviceAddress)).toEqual([DEVICE]);
  });

  it.each([{ fasttrack: true }, { 'hw-offload': 'true' }, { 'orig-fasttrack-packets': 3 }])(
    'sees that %j carries packets past tracking',
    (flags) => {
      expect(parse({ ...SESSION, ...flags }).rows[0]?.isOffloaded).toBe(true);
    },
  );

  it.each([
    ['tcp-state', undefined, 'is missing'],
    ['timeout', 'soon', 'is not a duration'],
    ['dst-port', 0, 'is not a port'],
    ['orig-packets', '4 7', 'is not a number'],
  ])(
    'takes a row whose %s is %j for a session that may have spoken just now, and says so',
    (key, value, why) => {
      expect(parse(SESSION, { ...SESSION, 'src-address': '10.0.5.2', [key]: value })).toEqual({
        rows: [
          expected,
          { address: '10.0.5.2', port: 4420, state: 'unknown', deviceAddress: DEVICE, isOffloaded: false },
        ],
        skipped: [`sessions[1].${key} ${why}`],
      });
    },
  );

  it('skips a row without an address, and says so without repeating it', () => {
    expect(parse(SESSION, { ...SESSION, 'src-address': 'secret' })).toEqual({
      rows: [expected],
      skipped: ['sessions[1].src-address is not an address'],
    });
  });
});

describe('parseFenceEntries', () => {
  const row = {
    '.id': '*1',
    list: 'reattach-fenced',
    address: '10.0.5.1/32',
    comment: 'x',
    disabled: false,
    dynamic: 'no',
  };

  it('takes address, comment and flags', () => {
    const entry = { address: '10.0.5.1', comment: 'x', disabled: false, dynamic: false };
    expect(parseFenceEntries([row])).toEqual({ rows: [entry], skipped: [] });
    expect(parseFenceEntries([{ ...row, comment: undefined, dynamic: 'true' }])).toEqual({
      rows: [{ ...entry, comment: '', dynamic: true }],
      skipped: [],
    });
  });

  it.each(['disabled', 'dynamic', 'address'])('takes no missing %s for a no', (key) => {
    const rest = Object.fromEntries(Object.entries(row).filter(([name]) => name !== key));
    expect(parseFenceEntries([rest, row])).toMatchObject({
      rows: [{ address: '10.0.5.1' }],
      skipped: [`fences[0].${key} is missing`],
    });
  });

  it.each(['10.0.0.0/24', '10.0.0.1-10.0.0.9', 'node.example.org'])(
    'skips %s, which cannot be ours',
    (address) => {
      expect(parseFenceEntries([row, { ...row, address }])).toMatchObject({
        rows: [{ address: '10.0.5.1' }],
        skipped: ['fences[1].address is not a single address'],
      });
    },
  );
});

function conditions(row: Record<string, unknown>): readonly string[] {
  return Object.keys(parseRawRules([row]).rows[0]?.matchers ?? {});
}

function bypassOf(settings: object, bridge: object): ReturnType<typeof parseBypass> {
  return parseBypass((label) => [
    { ...(label === 'settings' ? settings : label === 'bridge' ? bridge : {}) },
  ]);
}

describe('parseRawRules', () => {
  it('keeps the conditions that are set', () => {
    const row = {
      '.id': '*1',
      chain: 'prerouting',
      action: 'drop',
      disabled: false,
      invalid: 'false',
      comment: 'reattach',
      log: false,
      bytes: 12,
      protocol: 'tcp',
      'dst-port': 4420,
      'in-interface': '',
      fragment: false,
      'src-address-list': 'reattach-fenced',
    };
    const matchers = { protocol: 'tcp', 'dst-port': '4420', 'src-address-list': 'reattach-fenced' };
    expect(parseRawRules([row])).toEqual({
      rows: [{ action: 'drop', disabled: false, invalid: false, matchers }],
      skipped: [],
    });
  });

  it('takes every property that it does not know for a condition, in both dialects', () => {
    const rule = { action: 'drop', disabled: 'false', invalid: 'false', protocol: 'tcp' };
    expect(conditions({ ...rule, 'some-new-matcher': 'only-on-sundays' })).toContain('some-new-matcher');
    const properties = '.id=*1;action=drop;chain=prerouting;comment=x;limit=1,5:packet;protocol=tcp';
    expect(conditions({ ...rule, properties })).toEqual(['limit', 'protocol']);
  });

  it('keeps a rule that cannot be read: it may let everything pass', () => {
    expect(parseRawRules([{ action: 'drop' }])).toEqual({
      rows: [{ action: 'unreadable', disabled: false, invalid: false, matchers: {} }],
      skipped: ['raw[0].disabled is missing'],
    });
  });
});

describe('parseExports', () => {
  const row = {
    slot: 'pvc-a',
    'nvme-tcp-server-nqn': 'nqn.a',
    'nvme-tcp-server-port': 4420,
    size: 1_099_511_627_776,
  };

  it('takes slot, NQN, port, size and who may connect', () => {
    const value = { slot: 'pvc-a', nqn: 'nqn.a', hasOwnNqn: true, port: 4420, sizeBytes: 1_099_511_627_776 };
    expect(parseExports([{ ...row, 'nvme-tcp-server-allow-host-name': '' }], true)).toEqual({
      rows: [value],
      skipped: [],
    });
    expect(parseExports([{ ...row, 'nvme-tcp-server-allow-host-name': 'nqn.host' }], true)).toEqual({
      rows: [{ ...value, allowedHost: 'nqn.host' }],
      skipped: [],
    });
  });

  it('takes the slot for the NQN only before 7.21', () => {
    const old = { slot: '0012', 'nvme-tcp-server-port': '4420' };
    const value = { slot: '0012', nqn: '0012', hasOwnNqn: false, port: 4420 };
    expect(parseExports([old], false)).toEqual({ rows: [value], skipped: [] });
    expect(parseExports([row, old], true)).toMatchObject({
      rows: [{ slot: 'pvc-a' }],
      skipped: ['export 0012 has no NQN'],
    });
  });
});

describe('parseOwnAddresses', () => {
  it('takes addresses of interfaces that are enabled', () => {
    const rows = [
      { address: '10.0.0.10/24', disabled: false },
      { address: 'fd00::10/64' },
      { address: '10.0.9.9/24', disabled: 'true' },
      { address: 'odd' },
    ];
    expect(parseOwnAddresses(rows).rows).toEqual(['10.0.0.10', 'fd00::10']);
  });
});

describe('parseBypass', () => {
  it.each([
    [{ 'ipv4-fasttrack-active': true }, {}, /allow-fast-path=no/],
    [{ 'ipv4-fasttrack-active': 'false' }, { 'bridge-fast-path-active': true }, /use-ip-firewall=yes/],
  ])('of %j and %j names the fix', (settings, bridge, fix) => {
    expect(bypassOf(settings, bridge)?.fix).toMatch(fix);
  });

  it.each([
    [{}, {}],
    [{ 'ipv4-fasttrack-active': false }, { 'bridge-fast-path-active': true, 'use-ip-firewall': true }],
  ])('of %j and %j is none', (settings, bridge) => {
    expect(bypassOf(settings, bridge)).toBeUndefined();
  });
});

describe('parseStats', () => {
  it('takes the counters, and nothing from a row without them', () => {
    const row = { slot: 'pvc-a', 'write-ops': 17, 'write-bytes': '1000', 'in-flight-ops': 0 };
    expect(parseStats([row, { slot: 'pvc-b' }])).toEqual(
      new Map([['pvc-a', { writeOps: '17', writeBytes: '1000', inFlightOps: '0' }]]),
    );
  });
});
