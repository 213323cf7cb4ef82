import { describe, expect, it } from 'vitest';
import {
  parseExports,
  parseFenceEntries,
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
    expect(parse(row)).toEqual({ ok: true, value: [expected] });
  });

  it('takes an entry that begins with a packet of the backend for what it is', () => {
    const reversed = {
      ...SESSION,
      'src-address': '10.0.0.10',
      'src-port': 4420,
      'dst-address': '10.0.5.1',
      'dst-port': 48_984,
    };
    expect(parse(reversed)).toEqual({ ok: true, value: [{ ...expected, hostPackets: 363 }] });
  });

  it('leaves out what has nothing to do with an export port, also when the port is not told', () => {
    expect(parse({ ...SESSION, 'dst-port': 22 }, { ...SESSION, 'dst-port': '' })).toEqual({
      ok: true,
      value: [],
    });
  });

  it('does without what is optional', () => {
    const { 'orig-packets': _, timeout: __, 'src-port': ___, ...row } = SESSION;
    expect(parse(row)).toEqual({
      ok: true,
      value: [{ address: '10.0.5.1', port: 4420, state: 'established' }],
    });
  });

  it.each(['src-address', 'dst-address', 'tcp-state'])('names a missing %s', (key) => {
    const row = Object.fromEntries(Object.entries(SESSION).filter(([name]) => name !== key));
    expect(parse(SESSION, row)).toEqual(malformed(`sessions[1].${key} is missing`));
  });

  it('refuses a value it does not understand, without repeating it', () => {
    expect(parse({ ...SESSION, 'src-address': 'secret' })).toEqual(
      malformed('sessions[0].src-address is no address'),
    );
    expect(parse({ ...SESSION, timeout: 'soon' })).toEqual(
      malformed('sessions[0].timeout is not a duration'),
    );
    expect(parse({ ...SESSION, 'dst-port': 0 })).toEqual(malformed('sessions[0].dst-port is no port'));
    expect(parse({ ...SESSION, 'orig-packets': '4 7' })).toEqual(
      malformed('sessions[0].orig-packets is not a number'),
    );
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
    expect(parseFenceEntries([row])).toEqual({ ok: true, value: [entry] });
    expect(parseFenceEntries([{ ...row, comment: undefined, dynamic: 'true' }])).toEqual({
      ok: true,
      value: [{ ...entry, comment: '', dynamic: true }],
    });
  });

  it.each(['disabled', 'dynamic', 'address'])('takes no missing %s for a no', (key) => {
    const rest = Object.fromEntries(Object.entries(row).filter(([name]) => name !== key));
    expect(parseFenceEntries([rest])).toEqual(malformed(`fences[0].${key} is missing`));
  });
});

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
      ok: true,
      value: [{ action: 'drop', disabled: false, invalid: false, matchers }],
    });
    expect(parseRawRules([{ action: 'drop' }])).toEqual(malformed('raw[0].disabled is missing'));
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
      ok: true,
      value: [value],
    });
    expect(parseExports([{ ...row, 'nvme-tcp-server-allow-host-name': 'nqn.host' }], true)).toEqual({
      ok: true,
      value: [{ ...value, allowedHost: 'nqn.host' }],
    });
  });

  it('takes the slot for the NQN only before 7.21', () => {
    const old = { slot: '0012', 'nvme-tcp-server-port': '4420' };
    const value = { slot: '0012', nqn: '0012', hasOwnNqn: false, port: 4420 };
    expect(parseExports([old], false)).toEqual({ ok: true, value: [value] });
    expect(parseExports([row, old], true)).toEqual(malformed('exports[1].nvme-tcp-server-nqn is missing'));
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
