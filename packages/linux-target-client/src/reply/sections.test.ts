import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDevices } from './devices.ts';
import { parseExports } from './exports.ts';
import { formatRecord, parseRecords } from './fence-lines.ts';
import { parseFenceTable } from './fence-table.ts';
import type { Section } from './reply.ts';
import { parseSockets } from './sockets.ts';

const section = (...lines: readonly string[]): Section => ({ status: 'ok', lines });

describe('parseSockets', () => {
  it('reads IPv4, IPv6 and mapped addresses with the time of the last segment', () => {
    const { sockets, skipped } = parseSockets(
      section(
        'ESTAB 0 0 10.0.0.10:4420 10.0.0.11:51000',
        '\t cubic wscale:7,7 rto:204 lastsnd:1200 lastrcv:1280 lastack:1240 bytes_received:900',
        'FIN-WAIT-1 0 1 [fd00::10]:4420 [fd00::11]:51001',
        '\t cubic',
        'ESTAB 0 0 [::ffff:10.0.0.10]:4420 [::ffff:10.0.0.12]:51002',
      ),
    );
    expect(skipped).toEqual([]);
    expect(sockets).toMatchObject([
      {
        state: 'ESTAB',
        localAddress: '10.0.0.10',
        localPort: 4420,
        peerAddress: '10.0.0.11',
        peerPort: 51_000,
        lastReceivedAgoMs: 1_280,
      },
      { state: 'FIN-WAIT-1', localAddress: 'fd00::10', peerAddress: 'fd00::11' },
      { localAddress: '10.0.0.10', peerAddress: '10.0.0.12' },
    ]);
  });

  it('skips a malformed line, says so, and reads the others', () => {
    const { sockets, skipped } = parseSockets(
      section('ESTAB 0 0 nonsense', 'ESTAB 0 0 10.0.0.10:4420 10.0.0.11:1'),
    );
    expect(sockets).toHaveLength(1);
    expect(skipped[0]).toContain('nonsense');
  });
});

describe('parseExports', () => {
  it('lists enabled namespaces of subsystems that a TCP port exports', () => {
    const lines = [
      'port\t1\taddr_trtype\ttcp',
      'port\t1\taddr_trsvcid\t4420',
      'port\t2\taddr_trtype\trdma',
      'port\t2\taddr_trsvcid\t4421',
      'link\t1\tnqn.a',
      'link\t2\tnqn.b',
      'namespace\tnqn.a\t1\tdevice_path\t/dev/zvol/tank/a',
      'namespace\tnqn.a\t1\tenable\t1',
      'namespace\tnqn.a\t2\tdevice_path\t/dev/zvol/tank/off',
      'namespace\tnqn.a\t2\tenable\t0',
      'namespace\tnqn.b\t1\tdevice_path\t/dev/zvol/tank/b',
      'namespace\tnqn.b\t1\tenable\t1',
    ];
    expect(parseExports(section(...lines))).toEqual([
      { nqn: 'nqn.a', nsid: '1', devicePath: '/dev/zvol/tank/a', ports: [4_420] },
    ]);
  });
});

describe('parseDevices', () => {
  it('reads writes and I/O in flight', () => {
    const stat = '10 0 80 5 20 0 160 9 1 14 14 0 0 0 0 0 0';
    expect(
      parseDevices(section(`/dev/a\t253:0\t${stat}\t0 3`, '/dev/b\t253:1\tshort\t0 0')).get('/dev/a'),
    ).toEqual({
      writes: '20 160',
      inFlight: 3,
    });
  });
});

describe('fence records', () => {
  const word = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9.,:_/+-]{0,30}$/);
  it('are read as they were written', () => {
    const records = fc.record(
      {
        id: fc.stringMatching(/^[0-9a-f]{8}$/),
        nodeName: word,
        clusterId: word,
        owner: word,
        nodeUid: word,
        machineId: word,
        bootId: word,
        fencedAtMs: fc.nat(),
      },
      { requiredKeys: ['id', 'nodeName', 'fencedAtMs'] },
    );
    fc.assert(
      fc.property(records, (fields) => {
        const record = { ...fields, addresses: [{ kind: 'ip', value: '10.0.0.11' } as const] };
        const { records: read } = parseRecords(section(`10.0.0.11\t${formatRecord(record).join(' ')}`));
        expect(read[0]).toMatchObject(record);
      }),
    );
  });

  it('refuse a value with a character that the target refuses', () => {
    const record = { id: '0badf00d', nodeName: 'node a;reboot', addresses: [], fencedAtMs: 0 };
    expect(() => formatRecord(record)).toThrow('nodeName "node a;reboot"');
  });
});

describe('parseFenceTable', () => {
  it.each([
    ['no table', { status: 'missing', lines: [] }, 'does not exist'],
    ['a failed reading', { status: 'failed', lines: ['nft: permission denied'] }, 'permission denied'],
    ['no JSON', section('garbage'), 'not understood'],
    [
      'a dormant table',
      section(JSON.stringify({ nftables: [{ table: { flags: ['dormant'] } }] })),
      'dormant',
    ],
    ['no chain', section(JSON.stringify({ nftables: [{ table: {} }] })), 'chain prerouting is missing'],
  ] as const)('%s enforces nothing', (_, given, why) => {
    expect(parseFenceTable(given).problem).toContain(why);
  });
});
