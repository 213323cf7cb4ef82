import type { NodeEvidence } from '@reattach/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { busy, EXPORT, READ_AT_MS, session, snapshot, TRACKING } from '../test/support/snapshots.ts';
import { type ActivityMemory, NO_ACTIVITY, rememberActivity } from './activity-memory.ts';
import { classifyEvidence, type FencedHost, type KnownHost } from './classify-evidence.ts';
import type { Session, Snapshot } from './snapshot.ts';

const WINDOW_MS = 15_000;
const A = '10.0.5.1';
const B = '10.0.5.2';
const NODE_A: KnownHost = { name: 'a', addresses: [A] };
const NODE_B: KnownHost = { name: 'b', addresses: [B] };

/** A was seen live `quietMs` ago, and its sessions were gone in the last reading, two seconds ago. */
function seen(quietMs: number): ActivityMemory {
  const readAtMs = READ_AT_MS - 2_000;
  const uptimeMs = snapshot().uptimeMs - 2_000;
  const lastActivityMs = READ_AT_MS - quietMs;
  return {
    addresses: new Map([[A, { lastActivityMs, provedActivityMs: lastActivityMs }]]),
    sessions: new Map(),
    last: { readAtMs, uptimeMs, bootedAtMs: readAtMs - uptimeMs },
  };
}

function judge(
  sessions: readonly Session[],
  {
    node = NODE_A,
    peers = [NODE_B],
    memory = NO_ACTIVITY,
    reading = {},
    fences = [],
  }: {
    node?: KnownHost;
    peers?: readonly KnownHost[];
    memory?: ActivityMemory;
    reading?: Partial<Snapshot>;
    fences?: readonly FencedHost[];
  } = {},
): NodeEvidence | undefined {
  const read = snapshot({ sessions, ...reading });
  const known = rememberActivity(memory, read, WINDOW_MS);
  return classifyEvidence({ suspects: [node], peers }, read, known, WINDOW_MS, fences).get(node.name);
}

describe('classifyEvidence', () => {
  it('younger than the window -> live', () => {
    expect(judge([session(A, 13_000)])).toEqual({
      kind: 'live',
      observedAtMs: READ_AT_MS - 2,
      lastActivityMs: READ_AT_MS - 13_000,
      detail: 'its session was active 13.0 s before the reading',
    });
  });

  it('possibly younger than the window, by the second that the backend does not print -> live', () => {
    expect(judge([session(A, 14_500)])).toMatchObject({
      kind: 'live',
      detail: 'its session may have been active 14.5 s before the reading',
    });
  });

  it('one of several sessions or addresses younger than the window -> live', () => {
    expect(judge([session(A, 60_000), session(A, 1_000)])).toMatchObject({ kind: 'live' });
    const node = { ...NODE_A, addresses: ['10.0.6.1', `::ffff:${A}`] };
    expect(judge([session(A, 1_000)], { node })).toMatchObject({ kind: 'live' });
  });

  it('older than the window while another host is live -> silent since the end of the window', () => {
    expect(judge([session(A, 40_000), session(B, 2_000)])).toEqual({
      kind: 'silent',
      observedAtMs: READ_AT_MS - 2,
      silentSinceMs: READ_AT_MS - 25_000,
      lastActivityMs: READ_AT_MS - 40_000,
      detail: `nothing came from ${A} for 40.0 s while ${B} was live`,
    });
  });

  it('exactly as old as the window -> silent', () => {
    expect(judge([session(A, 15_000), session(B, 2_000)])).toMatchObject({
      kind: 'silent',
      silentSinceMs: READ_AT_MS,
    });
  });

  it('gone, but remembered -> silent', () => {
    expect(judge([session(B, 2_000)], { memory: seen(20_000) })).toMatchObject({
      kind: 'silent',
      silentSinceMs: READ_AT_MS - 5_000,
    });
  });

  it('gone, but remembered within the window -> live', () => {
    expect(judge([session(B, 2_000)], { memory: seen(10_000) })).toMatchObject({
      kind: 'live',
      detail: 'its session may have been active 10.0 s before the reading',
    });
  });

  it('asking for a session -> live, although that is no positive control', () => {
    expect(judge([busy(A, 1, { state: 'syn-sent' }), session(B, 1_000)])).toMatchObject({ kind: 'live' });
    const other = busy(B, 1, { state: 'syn-sent' });
    expect(judge([session(A, 40_000), other])).toMatchObject({ reason: 'no-live-peer' });
  });

  it('busy, so that its entry looks a day old -> live', () => {
    expect(judge([busy(A, 10), session(B, 1_000)])).toMatchObject({ kind: 'live' });
  });

  it.each<[string, Session, string]>([
    ['its own live session', session('10.0.6.1', 60_000), 'no-live-peer'],
    ['an old session', session(B, 15_000), 'no-live-peer'],
    ['one that may be as old as the window', session(B, 14_000), 'no-live-peer'],
    ['a closing session', session(B, 0, { state: 'time-wait' }), 'no-live-peer'],
    ['a session of the future', session(B, -60_000), 'no-live-peer'],
  ])('only %s beside it -> unknown', (_, other, reason) => {
    const node = { ...NODE_A, addresses: [A, '10.0.6.1'] };
    expect(judge([session(A, 40_000), other], { node })).toMatchObject({ kind: 'unknown', reason });
  });

  it('another suspect is a positive control, too', () => {
    const read = snapshot({ sessions: [session(A, 40_000), session(B, 1_000)] });
    const memory = rememberActivity(NO_ACTIVITY, read, WINDOW_MS);
    const evidence = classifyEvidence({ suspects: [NODE_A, NODE_B], peers: [] }, read, memory, WINDOW_MS, []);
    expect([evidence.get('a')?.kind, evidence.get('b')?.kind]).toEqual(['silent', 'live']);
  });

  it.each<[string, Parameters<typeof judge>[1], string]>([
    ['tracking off', { reading: { tracking: { ...TRACKING, on: false } } }, 'not-observable'],
    ['no address', { node: { ...NODE_A, addresses: [] } }, 'no-address'],
    ['an IPv6 address', { node: { ...NODE_A, addresses: [A, 'fd00::1'] } }, 'no-address'],
    ['an address that is none', { node: { ...NODE_A, addresses: [A, 'node-a'] } }, 'no-address'],
    ['never seen', { node: { ...NODE_A, addresses: ['10.0.5.9'] } }, 'never-seen-live'],
    [
      'an export port that was not asked about',
      { reading: { exports: [EXPORT, { ...EXPORT, port: 4421 }] } },
      'output-not-understood',
    ],
    ['a session older than the backend', { reading: { uptimeMs: 100 } }, 'output-not-understood'],
  ])('%s -> unknown', (_, options, reason) => {
    expect(judge([session(A, 61_000), session(B, 1_000)], options)).toMatchObject({
      kind: 'unknown',
      reason,
    });
  });

  it('a session of the future -> unknown', () => {
    const sessions = [session(A, -2_000), session(B, 1_000)];
    expect(judge(sessions, { memory: seen(60_000) })).toMatchObject({ reason: 'output-not-understood' });
  });

  it('a live session that belongs to no known node -> unknown', () => {
    const sessions = [session(A, 40_000), session(B, 1_000)];
    const node = NODE_A;
    expect(judge(sessions, { node })).toMatchObject({ kind: 'silent' });
    expect(judge(sessions, { node, peers: [] })).toMatchObject({
      kind: 'unknown',
      reason: 'unattributed-session',
    });
    const opening = session('10.0.5.9', 0, { state: 'syn-received' });
    expect(judge([...sessions, opening], { node })).toMatchObject({ reason: 'unattributed-session' });
    expect(judge([...sessions, session('10.0.5.9', 60_000)], { node })).toMatchObject({ kind: 'silent' });
    expect(judge([...sessions, busy('10.0.5.9', 1)], { node })).toMatchObject({
      reason: 'unattributed-session',
    });
  });

  describe('a node that was never seen and is cut off', () => {
    const fence = (seenForMs: number, overrides: Partial<FencedHost> = {}): FencedHost => ({
      nodeName: 'a',
      addresses: [A],
      seenSinceMs: READ_AT_MS - seenForMs,
      ...overrides,
    });
    const peers = [session(B, 1_000)];

    it('all of its addresses for longer than the window -> silent since', () => {
      expect(judge(peers, { fences: [fence(20_000)] })).toMatchObject({
        kind: 'silent',
        silentSinceMs: READ_AT_MS - 20_000 + WINDOW_MS,
      });
    });

    it.each([
      ['not for as long as the window', [fence(WINDOW_MS - 1)], peers, 'live'],
      ['while nobody else is live', [fence(20_000)], [], 'no-live-peer'],
      ['another of its addresses', [fence(20_000, { addresses: ['10.0.5.9'] })], peers, 'never-seen-live'],
      ['another node', [fence(20_000, { nodeName: 'b' })], peers, 'never-seen-live'],
      ['it talks all the same', [fence(20_000)], [...peers, session(A, 1_000)], 'live'],
    ] as const)('%s -> no silence', (_situation, fences, sessions, expected) => {
      const evidence = judge(sessions, { fences });
      expect(evidence?.kind === 'unknown' ? evidence.reason : evidence?.kind).toBe(expected);
    });
  });

  it('never says silent while a session is young, nor without another live host, nor when never seen', () => {
    const anySession = fc
      .record({
        address: fc.constantFrom(A, B, '10.0.6.1'),
        ageMs: fc.oneof(
          { weight: 1, arbitrary: fc.integer({ min: -100_000, max: 100_000_000 }) },
          { weight: 9, arbitrary: fc.integer({ min: WINDOW_MS - 3_000, max: WINDOW_MS + 3_000 }) },
        ),
        state: fc.oneof(
          { weight: 9, arbitrary: fc.constant('established') },
          { weight: 1, arbitrary: fc.constantFrom('time-wait', 'syn-sent', '?') },
        ),
      })
      .map(({ address, ageMs, state }) => session(address, ageMs, { state }));
    const mostlyOn = fc.integer({ min: 0, max: 9 }).map((digit) => digit > 0);
    let silences = 0;
    fc.assert(
      fc.property(fc.array(anySession, { maxLength: 6 }), mostlyOn, (sessions, on) => {
        const peers = [{ ...NODE_B, addresses: [B, '10.0.6.1'] }];
        const evidence = judge(sessions, { peers, reading: { tracking: { ...TRACKING, on } } });
        if (evidence?.kind !== 'silent') return;
        silences += 1;
        const youngerThan = (limitMs: number) =>
          sessions.filter(({ remainingMs = 0, state }) => {
            const ageMs = TRACKING.establishedTimeoutMs - remainingMs;
            return state === 'established' && ageMs >= 0 && ageMs < limitMs;
          });
        const maybeYoung = youngerThan(WINDOW_MS + 1_000); // of what is printed a second was cut off
        const surelyYoung = youngerThan(WINDOW_MS);
        expect(on).toBe(true);
        expect(sessions.some(({ address }) => address === A)).toBe(true);
        expect(maybeYoung.some(({ address }) => address === A)).toBe(false);
        expect(surelyYoung.some(({ address }) => address !== A)).toBe(true);
        expect(evidence.silentSinceMs).toBeLessThanOrEqual(READ_AT_MS);
      }),
      { numRuns: 1_000 },
    );
    expect(silences).toBeGreaterThan(20); // else it proved nothing
  });
});
