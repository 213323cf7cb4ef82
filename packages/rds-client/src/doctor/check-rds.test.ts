import { describe, expect, it } from 'vitest';
import { parseUserGroups } from '../routeros/user-groups.ts';
import type { Snapshot } from '../snapshot.ts';
import { checkRds } from './check-rds.ts';

const SNAPSHOT: Snapshot = {
  takenAtMs: 0,
  sessionsAskedAtMs: 0,
  sessionsReadAtMs: 0,
  version: { text: '7.24.2 (stable)', major: 7, minor: 24, patch: 2 },
  dialect: 'serialize',
  uptimeMs: 0,
  bootedAtMs: 0,
  tracking: {
    on: true,
    detail: 'on',
    establishedTimeoutMs: 86_400_000,
    shortenedTimeoutMs: 300_000,
    closingTimeoutMs: 10_000,
  },
  sessionPorts: [4420],
  sessions: [],
  exports: [],
  fenceEntries: [],
  rawRules: [],
  controls: [],
  hasTooManySessions: false,
  skipped: [],
  writeCounters: new Map(),
};

function examine(snapshot: Partial<Snapshot>, mayFence = true) {
  const reading = { observedAtMs: 0, evidence: new Map(), fenceStates: new Map(), unattributed: [] };
  const backend = {
    health: () => ({ connected: true, detail: 'RouterOS' }),
    lastReading: reading,
    lastSnapshot: { ...SNAPSHOT, ...snapshot },
  };
  const checks = checkRds(backend, { mayFence, nowMs: 0, settings: { user: 'reattach' } });
  for (const { name, state, fix } of checks)
    expect([name, fix !== undefined]).toEqual([name, state !== 'ok']);
  return new Map(checks.map((check) => [check.name, check]));
}

describe('checkRds', () => {
  it.each([
    ['a group with write', ['ssh', 'read', 'write', 'test'], 'ok'],
    ['a group without write', ['ssh', 'read', 'test'], 'failed'],
    ['a group that denies write', ['ssh', 'read', '!write'], 'failed'],
  ])('judges the write permission of %s', (_what, policies, state) => {
    const groupPolicies = new Map([['reattach', { group: 'ops', policies }]]);
    expect(examine({ groupPolicies }).get('write permission')?.state).toBe(state);
  });

  it('fails when the policies are not known, which only mode fence does, and names the proof', () => {
    expect(examine({}).get('write permission')).toMatchObject({
      state: 'failed',
      fix: expect.stringContaining('--probe'),
    });
    expect(examine({}, false).get('write permission')?.state).toBe('warning');
  });

  it('fails for sessions that hardware carries', () => {
    const session = {
      address: '10.0.0.11',
      port: 4420,
      state: 'established',
      deviceAddress: '10.0.0.10',
      isOffloaded: true,
    };
    expect(examine({ sessions: [session] }).get('packets seen')).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('10.0.0.11'),
    });
  });

  it('has a fix for a backend that could not be read', () => {
    const backend = {
      health: () => ({ connected: false, detail: 'AUTH_REFUSED: no' }),
      lastReading: undefined,
      lastSnapshot: undefined,
    };
    const [check] = checkRds(backend, { mayFence: true, nowMs: 0, settings: {} });
    expect(check).toMatchObject({ state: 'failed', fix: expect.stringContaining('rds.privateKeyFile') });
  });
});

const rows = (groups: unknown[]) => (label: string) =>
  (label === 'groups' ? groups : [{ name: 'reattach', group: 'ops' }]) as never;

describe('parseUserGroups', () => {
  it.each([
    ['an array', ['ssh', 'write']],
    ['words joined by commas', 'ssh,write'],
    ['words joined by semicolons', 'ssh;write'],
  ])('reads policies from %s', (_what, policy) => {
    expect(parseUserGroups(rows([{ name: 'ops', policy }]))).toEqual(
      new Map([['reattach', { group: 'ops', policies: ['ssh', 'write'] }]]),
    );
  });

  it('knows nothing when a menu was refused', () => {
    expect(parseUserGroups(rows([]))).toBeUndefined();
  });
});
