import { getEventListeners } from 'node:events';
import type { FenceRecord } from '@reattach/core';
import { ipAddresses } from '@reattach/core';
import type { CommandFault } from '@reattach/rds-sim';
import { BackendError, type BackendErrorCode } from '@reattach/ssh-transport';
import { describe, expect, it } from 'vitest';
import { elapsing, until } from '../support/turns.ts';
import { ABOUT_A, type BackendFixture, NEVER, startBackend } from './backend-fixture.ts';

/** A cleanup needs at most the longest back-off with its jitter, and the round trips. */
const MAX_CLEANUP_MS = 20_000;

const COMMAND_TIMEOUT_MS = 10_000;

const FENCE: FenceRecord = {
  id: '00c0ffee',
  nodeName: 'node-a',
  addresses: [],
  fencedAtMs: 1_767_225_600_000,
};

/** An operation on the backend, and the text of the command in it that the fault strikes. */
const OPERATIONS = {
  read: { match: 'sessions=', name: 'read sessions' },
  fence: { match: 'address-list/add', name: 'add fence' },
  unfence: { match: 'address-list/remove', name: 'remove fence' },
} as const;

type Operation = keyof typeof OPERATIONS;

async function operate(f: BackendFixture, operation: Operation, signal: AbortSignal): Promise<void> {
  if (operation === 'fence') return await f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), signal);
  if (operation === 'unfence') {
    return await f.backend.unfence(
      { ...FENCE, addresses: ipAddresses(['10.0.5.1']), inForce: [], seenSinceMs: 0 },
      signal,
    );
  }
  const evidence = (await f.backend.observe(ABOUT_A, signal)).evidence.get('node-a');
  if (evidence?.kind !== 'unknown') return;
  throw new BackendError('MALFORMED', 'not-applied', `${evidence.reason}: ${evidence.detail}`);
}

/** What the backend looks like when the operation has been carried out. */
function isDone(f: BackendFixture, operation: Operation): boolean {
  const entries = f.sim.device.addressList.entries.length;
  return operation === 'read' || entries === (operation === 'fence' ? 1 : 0);
}

/** Moves the clock until the backend is connected; how long that took, ms. */
async function recover({ clock, backend }: BackendFixture): Promise<number> {
  const startMs = clock.now();
  const settled = () => until(() => !backend.health().detail.includes('dialling'));
  for (await settled(); !backend.health().connected; await settled()) {
    if (clock.now() - startMs > MAX_CLEANUP_MS) throw new Error(`not connected: ${backend.health().detail}`);
    await clock.advance(100);
  }
  return clock.now() - startMs;
}

async function begin(operation: Operation): Promise<BackendFixture> {
  const f = await startBackend();
  await f.backend.observe(ABOUT_A, NEVER);
  if (operation === 'unfence') await f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER);
  return f;
}

const HANGS: readonly string[] = ['hang', 'slow'];

/** Answers that are complete, though wrong: all others drop the connection. */
const KEEPS_CONNECTION: ReadonlySet<string> = new Set(['log-line', 'garbage', 'replace', 'status 1']);

const COMMAND_FAULTS: readonly (readonly [string, CommandFault, BackendErrorCode])[] = [
  ['a hang before the command', { kind: 'hang' }, 'TIMEOUT'],
  ['a hang after the command', { kind: 'hang', applied: true }, 'TIMEOUT'],
  ['a command slower than the limit', { kind: 'slow', delayMs: 3_600_000 }, 'TIMEOUT'],
  ['a cut connection', { kind: 'cut', afterBytes: 7 }, 'UNAVAILABLE'],
  ['a cut channel', { kind: 'close-channel', afterBytes: 7 }, 'INCOMPLETE'],
  ['no exit status', { kind: 'exit-status', status: 'none' }, 'INCOMPLETE'],
  ['another exit status', { kind: 'exit-status', status: 1 }, 'REFUSED'],
  ['an injected log line', { kind: 'log-line', afterLines: 0 }, 'MALFORMED'],
  ['garbage', { kind: 'garbage' }, 'MALFORMED'],
  ['an empty answer', { kind: 'replace', output: '' }, 'INCOMPLETE'],
  ['an error text', { kind: 'replace', output: 'failure: not allowed by device-mode\r\n' }, 'REFUSED'],
  ['a lost policy', { kind: 'replace', output: 'not enough permissions (9)\r\n' }, 'REFUSED'],
];

describe.each(Object.keys(OPERATIONS) as Operation[])('%s', (operation) => {
  const { match, name } = OPERATIONS[operation];

  it.each(COMMAND_FAULTS)('survives %s', async (_, fault, code) => {
    await using f = await begin(operation);
    const rule = f.sim.faults.onCommand(match, fault);
    const caller = new AbortController();
    const failing = operate(f, operation, caller.signal).catch((err: unknown) => err);
    if (HANGS.includes(fault.kind)) {
      await until(() => rule.hits === 1);
      await f.clock.advance(COMMAND_TIMEOUT_MS);
    }
    const error = await failing;
    expect(error).toBeInstanceOf(BackendError);
    expect((error as BackendError).message).toContain(`Command "${name}" at backend rds-1 failed: `);
    expect((error as BackendError).message).toContain(operation === 'read' ? `${code}: ` : code);
    const sent = { code, outcome: 'unknown', cause: expect.any(BackendError) };
    expect(error).toMatchObject(operation === 'read' || fault.kind === 'replace' ? {} : sent);
    expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
    await until(
      () =>
        f.backend.health().connected ===
        KEEPS_CONNECTION.has(fault.kind === 'exit-status' ? `status ${fault.status}` : fault.kind),
    );
    expect(await recover(f)).toBeLessThanOrEqual(2_000);
    await operate(f, operation, NEVER);
    expect(isDone(f, operation)).toBe(true);
  });

  it('survives a backend that cannot be reached for a minute', async () => {
    await using f = await begin(operation);
    await f.sim.faults.down();
    const error = await operate(f, operation, NEVER).catch((err: unknown) => err);
    expect((error as BackendError).message).toMatch(
      /Command "(connect|read backend|read fences)" at backend rds-1 failed: /,
    );
    for (let second = 0; second < 60; second++) {
      await f.clock.advance(1_000);
      await until(() => !f.backend.health().detail.includes('dialling'));
    }
    expect(f.backend.health()).toMatchObject({ connected: false });
    await f.sim.faults.up();
    expect(await recover(f)).toBeLessThanOrEqual(MAX_CLEANUP_MS);
    await operate(f, operation, NEVER);
    expect(isDone(f, operation)).toBe(true);
  });

  it('survives a backend that takes two seconds a command', async () => {
    await using f = await begin(operation);
    using slow = f.sim.faults.onCommand('', { kind: 'slow', delayMs: 2_000 }, Number.POSITIVE_INFINITY);
    let hits = 0;
    await elapsing(operate(f, operation, NEVER), async () => {
      if (slow.hits === hits) return;
      hits = slow.hits;
      await f.clock.advance(2_000);
    });
    expect(isDone(f, operation)).toBe(true);
  });

  it('leaves no timer, session or listener behind', async () => {
    const f = await begin(operation);
    f.sim.faults.onCommand(match, { kind: 'hang' });
    const caller = new AbortController();
    const failing = operate(f, operation, caller.signal).catch((err: unknown) => err);
    await until(() => f.sim.commands.entries.at(-1)?.text.includes(match) ?? false);
    await f.backend[Symbol.asyncDispose]();
    expect(await failing).toBeInstanceOf(BackendError);
    await until(() => f.sim.openSessions === 0);
    expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
    await f.sim[Symbol.asyncDispose]();
    expect(f.clock.pendingTimers).toBe(0);
  });

  it('gives up at once when its caller does, and the backend stays usable', async () => {
    await using f = await begin(operation);
    const rule = f.sim.faults.onCommand(match, { kind: 'slow', delayMs: 5_000 });
    const caller = new AbortController();
    const failing = operate(f, operation, caller.signal);
    await until(() => rule.hits === 1);
    caller.abort(new Error('gave up'));
    await expect(failing).rejects.toThrow('gave up');
    await f.clock.advance(5_000);
    await operate(f, operation, NEVER);
    expect(f.backend.health().connected).toBe(true);
  });
});

describe('read', () => {
  it('takes truncated JSON for no answer', async () => {
    await using f = await begin('read');
    f.sim.faults.onCommand('sessions=', { kind: 'truncate' });
    const { evidence } = await f.backend.observe(ABOUT_A, NEVER);
    expect(evidence.get('node-a')).toMatchObject({ kind: 'unknown', reason: 'output-not-understood' });
  });
});
