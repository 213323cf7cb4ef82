import { describe, expect, it } from 'vitest';
import { fakeBackend } from '../test/support/fake-backend.ts';
import type { Capabilities } from './capabilities.ts';
import { type NetworkFacts, readNetwork, readSnapshot } from './read-snapshot.ts';
import type { Snapshot } from './snapshot.ts';

const NEVER = new AbortController().signal;

const CAPABILITIES: Capabilities = {
  version: { text: '7.24.2 (stable)', major: 7, minor: 24, patch: 2 },
  dialect: 'serialize',
  ownNqn: true,
  writeCounters: true,
  networkMenus: [],
};

const NETWORK: NetworkFacts = { readAtMs: 0, skipped: [] };
const KNOWN = { network: NETWORK, knownPorts: [4420] };

async function read(
  rows: Readonly<Record<string, unknown>> = {},
  capabilities = CAPABILITIES,
): Promise<Snapshot> {
  const { client, session } = fakeBackend(rows);
  return await readSnapshot(client, session, capabilities, KNOWN, NEVER);
}

describe('readSnapshot', () => {
  it.each<[Record<string, unknown>, readonly unknown[], boolean]>([
    [{ enabled: 'yes' }, [], true],
    [{ enabled: 'no', active: true }, [{ action: 'drop', disabled: false }], false],
    [{ enabled: 'auto', active: true }, [], true],
    [{ enabled: 'auto', active: false }, [{ action: 'drop', disabled: false }], false],
    [{ enabled: 'auto', 'active-ipv4': true }, [], true],
    [{ enabled: 'auto' }, [{ action: 'drop', disabled: false }], true],
    [{ enabled: 'auto' }, [{ action: 'drop', disabled: true }], false],
    [{ enabled: 'auto' }, [], false],
    [{ enabled: 'yes' }, [{ action: 'notrack', disabled: false }], false],
    [
      { enabled: 'yes' },
      [{ action: 'notrack', disabled: false, protocol: 'tcp', 'dst-port': '4000-5000' }],
      false,
    ],
    [{ enabled: 'yes' }, [{ action: 'notrack', disabled: true }], true],
    [{ enabled: 'yes' }, [{ action: 'jump', disabled: false }], false],
    [{ enabled: 'yes' }, [{ action: 'jump', disabled: false, protocol: 'tcp', 'dst-port': '22' }], true],
    [{ enabled: 'yes' }, [{ action: 'notrack', disabled: false, protocol: 'udp' }], true],
    [{ enabled: 'yes' }, [{ action: 'notrack', disabled: false, protocol: 'tcp', 'dst-port': '22' }], true],
  ])('tracking %j with rules %j -> %s', async (tracking, raw, on) => {
    const snapshot = await read({ tracking: { ...tracking, 'tcp-established-timeout': '1d' }, raw });
    expect(snapshot.tracking.on).toBe(on);
  });

  it.each<[string, Record<string, unknown>, readonly unknown[], string | undefined]>([
    ['on', { enabled: 'yes' }, [], undefined],
    ['off', { enabled: 'no' }, [], '/ip/firewall/connection/tracking/set enabled=yes'],
    ['auto without rules', { enabled: 'auto' }, [], '/ip/firewall/connection/tracking/set enabled=yes'],
    [
      'hidden by a rule',
      { enabled: 'yes' },
      [{ action: 'notrack', disabled: false }],
      '/ip/firewall/raw/print where chain=prerouting and action=notrack; then /ip/firewall/raw/disable NUMBER, or set its dst-port to a list without 4420',
    ],
  ])('knows the fix for tracking that is %s', async (_, tracking, raw, fix) => {
    const snapshot = await read({ tracking: { ...tracking, 'tcp-established-timeout': '1d' }, raw });
    expect(snapshot.tracking.fix).toBe(fix);
  });

  it('does not trust a negated list of ports to leave the sessions alone', async () => {
    const raw = [{ action: 'notrack', disabled: false, protocol: 'tcp', 'dst-port': '!4420' }];
    expect((await read({ raw })).tracking.on).toBe(false);
  });

  it('looks for sessions at the default port while nothing is exported', async () => {
    expect((await read({ exports: '' })).sessionPorts).toEqual([4420]);
  });

  it('asks about every export port, in more lines when one does not hold them', async () => {
    const ports = Array.from({ length: 10 }, (_, index) => 4429 - index);
    const exports = ports.map((port) => ({
      slot: `pvc-${port}`,
      'nvme-tcp-server-nqn': `nqn.${port}`,
      'nvme-tcp-server-port': port,
    }));
    const { client, session } = fakeBackend({ exports });
    const snapshot = await readSnapshot(client, session, CAPABILITIES, KNOWN, NEVER);
    expect(snapshot.sessionPorts).toEqual(ports.toReversed());
    const asked = session.commands.join('\n');
    for (const port of ports) expect(asked).toContain(`(dst-port=${port} or src-port=${port})`);
    expect(session.commands.length).toBeLessThanOrEqual(5);
    expect(Math.max(...session.commands.map(({ length }) => length))).toBeLessThanOrEqual(1_000);
  });

  it('does not ask for counters a backend does not show', async () => {
    const { client, session } = fakeBackend();
    await readSnapshot(client, session, { ...CAPABILITIES, writeCounters: false }, KNOWN, NEVER);
    expect(session.commands.join('\n')).not.toContain('stats');
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      'an export without its NQN',
      { exports: [{ slot: 'a', 'nvme-tcp-server-port': 1 }] },
      'export a has no NQN',
    ],
    ['a rule without its flags', { raw: [{ action: 'drop' }] }, 'raw[0].disabled is missing'],
    ['an entry without its flags', { fences: [{ address: '10.0.5.1' }] }, 'fences[0].disabled is missing'],
    [
      'a session without its state',
      { sessions: [{ 'src-address': '10.0.5.1', 'dst-address': '10.0.0.1' }] },
      'sessions[0].tcp-state is missing',
    ],
  ])('is not blinded by %s, and says that it was skipped', async (_, rows, problem) => {
    expect((await read(rows)).skipped).toEqual([problem]);
  });

  it('does not read more sessions than a reply may hold, and says so', async () => {
    const { client, session } = fakeBackend({ count: { entries: 6_000 } });
    const snapshot = await readSnapshot(client, session, CAPABILITIES, KNOWN, NEVER);
    expect(snapshot.hasTooManySessions).toBe(true);
    expect(session.commands.join('\n')).not.toContain('/ip/firewall/connection print');
  });

  it('knows the backend by its own addresses and settings', async () => {
    const { client, session } = fakeBackend({
      addresses: [{ address: '10.0.0.10/24', disabled: false }],
      settings: { 'ipv4-fasttrack-active': true },
    });
    const capabilities = { ...CAPABILITIES, networkMenus: ['addresses', 'settings'] } as const;
    expect(await readNetwork(client, session, capabilities, NEVER)).toMatchObject({
      ownAddresses: ['10.0.0.10'],
      bypass: { detail: expect.stringContaining('FastTrack') },
    });
  });
});
