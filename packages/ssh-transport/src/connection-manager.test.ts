import { FakeClock, RecordingLogger, RecordingTelemetry } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { BackendError } from './backend-error.ts';
import { ConnectionManager } from './connection-manager.ts';
import { FakeSession } from './testing/fake-session.ts';
import { unlessAborted } from './unless-aborted.ts';

const NEVER = new AbortController().signal;

/** A manager whose backend is `up` or down, and everything it did. */
function setUp(up = true, random = 0.5) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const sessions: FakeSession[] = [];
  const dialledAtMs: number[] = [];
  const startMs = clock.now();
  const world = {
    up,
    error: new BackendError('UNAVAILABLE', 'not-applied', 'connect ECONNREFUSED'),
    hold: undefined as Promise<void> | undefined,
  };
  const dial = async (signal: AbortSignal) => {
    dialledAtMs.push(clock.now() - startMs);
    if (world.hold) await unlessAborted(world.hold, signal);
    signal.throwIfAborted();
    if (!world.up) throw world.error;
    expect(sessions.every(({ isClosed }) => isClosed)).toBe(true); // the old one is closed first
    const session = new FakeSession(clock);
    sessions.push(session);
    return session;
  };
  const manager = new ConnectionManager({ name: 'rds-1', dial, clock, random: () => random, logger });
  return { clock, logger, sessions, dialledAtMs, world, manager };
}

describe('ConnectionManager', () => {
  it('connects in the background and hands out the connection', async () => {
    const { clock, manager, sessions } = setUp();
    expect(manager.isConnected()).toBe(false);
    manager.start(NEVER);
    expect(await manager.session(NEVER)).toBe(sessions[0]);
    await clock.advance(0);
    expect(manager.isConnected()).toBe(true);
    expect(manager.trouble).toBeUndefined();
    await manager[Symbol.asyncDispose]();
    expect(manager.isConnected()).toBe(false);
    expect(sessions[0]?.isClosed).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('shares a dial in progress among all callers', async () => {
    const { manager, dialledAtMs } = setUp();
    manager.start(NEVER);
    const [a, b] = await Promise.all([manager.session(NEVER), manager.session(NEVER)]);
    expect(a).toBe(b);
    expect(dialledAtMs).toHaveLength(1);
    await manager[Symbol.asyncDispose]();
  });

  it('tries again after 1, 2, 4, 8, 16, 16, ... s, without end, when the backend is down at the start', async () => {
    const { clock, manager, dialledAtMs, world } = setUp(false);
    let reconnects = 0;
    manager.onReconnect(() => void (reconnects += 1));
    manager.start(NEVER);
    await clock.advance(64_000);
    expect(dialledAtMs).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000, 47_000, 63_000]);
    await clock.advance(24 * 3_600_000); // 5,400 attempts
    expect(dialledAtMs.slice(-2)).toEqual([86_447_000, 86_463_000]);
    world.up = true;
    await clock.advance(16_000);
    expect(manager.isConnected()).toBe(true);
    expect(reconnects).toBe(1);
    await manager[Symbol.asyncDispose]();
  });

  it.each([
    [0, [900, 1_800, 3_600, 7_200, 14_400, 14_400]],
    [0.999_999, [1_100, 2_200, 4_400, 8_800, 17_600, 17_600]],
  ])('moves each wait by up to 10 %%: random %d -> %j', async (random, waitsMs) => {
    const { clock, manager, dialledAtMs } = setUp(false, random);
    manager.start(NEVER);
    await clock.advance(waitsMs.reduce((a, b) => a + b));
    expect(dialledAtMs.slice(1).map((atMs, index) => atMs - (dialledAtMs[index] ?? 0))).toEqual(waitsMs);
    await manager[Symbol.asyncDispose]();
  });

  it('reconnects after a loss, and says so', async () => {
    const { clock, logger, manager, sessions } = setUp();
    let reconnects = 0;
    manager.onReconnect(() => void (reconnects += 1));
    manager.start(NEVER);
    await clock.advance(0);
    expect(reconnects).toBe(0);
    sessions[0]?.drop();
    await clock.advance(999);
    expect(manager.isConnected()).toBe(false);
    expect(manager.trouble).toContain('the backend closed the connection');
    await clock.advance(1);
    expect(manager.isConnected()).toBe(true);
    expect(reconnects).toBe(1);
    expect(logger.messages('warn')).toEqual(['Storage backend was not connected, reconnecting']);
    expect(logger.messages('info')).toEqual([
      'Connected to storage backend',
      'Reconnected to storage backend',
    ]);
    await manager[Symbol.asyncDispose]();
  });

  it('fails callers at once while it waits, without touching the backend', async () => {
    const { clock, manager, dialledAtMs } = setUp(false);
    manager.start(NEVER);
    await clock.advance(3_500);
    await expect(manager.session(NEVER)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      outcome: 'not-applied',
      message: expect.stringContaining('ECONNREFUSED; next attempt in 3500 ms'),
    });
    expect(dialledAtMs).toEqual([0, 1_000, 3_000]);
    await manager[Symbol.asyncDispose]();
  });

  it('begins at 1 s again only after a connection on which a command succeeded', async () => {
    const { clock, manager, dialledAtMs, sessions } = setUp();
    manager.start(NEVER);
    await clock.advance(0);
    for (const [attempt, waitMs] of [1_000, 2_000, 4_000].entries()) {
      sessions[attempt]?.drop();
      await clock.advance(waitMs);
    }
    expect(dialledAtMs).toEqual([0, 1_000, 3_000, 7_000]);
    await sessions[3]?.exec('', NEVER);
    sessions[3]?.drop();
    await clock.advance(1_000);
    expect(dialledAtMs.at(-1)).toBe(8_000);
    await manager[Symbol.asyncDispose]();
  });

  it('calls a wrong host key an error and looks again only after a minute', async () => {
    const { clock, logger, manager, dialledAtMs, world } = setUp(false);
    world.error = new BackendError('BAD_HOST_KEY', 'not-applied', 'the backend shows host key SHA256:x');
    manager.start(NEVER);
    await clock.advance(59_999);
    expect(dialledAtMs).toEqual([0]);
    await clock.advance(1);
    expect(dialledAtMs).toEqual([0, 60_000]);
    expect(logger.messages('error')).toHaveLength(2);
    await expect(manager.session(NEVER)).rejects.toMatchObject({ code: 'BAD_HOST_KEY' });
    await manager[Symbol.asyncDispose]();
  });

  it('calls every listener until it is disposed, though another throws', async () => {
    const { clock, logger, manager, sessions } = setUp();
    const calls: string[] = [];
    const listener = () => void calls.push('twice');
    manager.onReconnect(() => {
      throw new Error('listener');
    });
    manager.onReconnect(listener);
    const second = manager.onReconnect(listener);
    manager.start(NEVER);
    await clock.advance(0);
    sessions[0]?.drop();
    await clock.advance(1_000);
    expect(calls).toEqual(['twice', 'twice']);
    second[Symbol.dispose]();
    sessions[1]?.drop();
    await clock.advance(2_000);
    expect(calls).toHaveLength(3);
    expect(logger.messages('error')).toEqual([
      'Listener of the connection failed',
      'Listener of the connection failed',
    ]);
    await manager[Symbol.asyncDispose]();
  });

  it.each<[string, (world: ReturnType<typeof setUp>['world']) => void]>([
    ['waits', (world) => void (world.up = false)],
    ['dials', (world) => void (world.hold = new Promise(() => undefined))],
    ['is connected', () => undefined],
  ])('stops while it %s, leaving nothing behind', async (_, arrange) => {
    const { clock, manager, sessions, world } = setUp();
    arrange(world);
    const stop = new AbortController();
    manager.start(stop.signal);
    await clock.advance(500);
    const waiting = manager.session(NEVER).catch((err: unknown) => err);
    stop.abort(new Error('stopped'));
    await manager[Symbol.asyncDispose]();
    await waiting;
    await clock.advance(100_000);
    expect(manager.isConnected()).toBe(false);
    expect(sessions.every(({ isClosed }) => isClosed)).toBe(true);
    expect(clock.pendingTimers).toBe(0);
    await expect(manager.session(NEVER)).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('rejects a caller that gives up, with its reason', async () => {
    const { manager, world } = setUp();
    const hold = Promise.withResolvers<void>();
    world.hold = hold.promise;
    manager.start(NEVER);
    const caller = new AbortController();
    const session = manager.session(caller.signal);
    caller.abort(new Error('gave up'));
    await expect(session).rejects.toThrow('gave up');
    hold.resolve();
    await manager[Symbol.asyncDispose]();
  });

  it('is closed before the start, and starts only once', async () => {
    const { manager } = setUp();
    await expect(manager.session(NEVER)).rejects.toMatchObject({ code: 'CLOSED', outcome: 'not-applied' });
    manager.start(NEVER);
    expect(() => manager.start(NEVER)).toThrow(TypeError);
    await manager[Symbol.asyncDispose]();
    await manager[Symbol.asyncDispose]();
  });

  it('reports each outage once, also one at the start', async () => {
    const { clock, manager, sessions, world, logger } = setUp(false);
    const reported: string[] = [];
    manager.onDisconnect(() => {
      throw new Error('a bug');
    });
    manager.onDisconnect(({ message }) => reported.push(message));
    manager.onDisconnect(() => reported.push('disposed'))[Symbol.dispose]();
    manager.start(NEVER);
    await clock.advance(10_000);
    expect(reported).toEqual(['UNAVAILABLE: connect ECONNREFUSED']);
    world.up = true;
    await clock.advance(16_000);
    expect(manager.isConnected()).toBe(true);
    sessions[0]?.drop();
    world.up = false;
    await clock.advance(60_000);
    expect(reported).toHaveLength(2);
    expect(logger.messages('error')).toEqual([
      'Listener of the connection failed',
      'Listener of the connection failed',
    ]);
    await manager[Symbol.asyncDispose]();
    expect(reported).toHaveLength(2);
  });

  it('makes a span of each attempt, in error with its code when it failed', async () => {
    using telemetry = new RecordingTelemetry();
    const { clock, manager, world } = setUp(false);
    manager.start(NEVER);
    await clock.advance(0);
    world.up = true;
    await clock.advance(1_000);
    await manager[Symbol.asyncDispose]();
    expect(telemetry.spans).toMatchObject([
      {
        name: 'connect storage backend',
        attributes: { 'reattach.storage.backend': 'rds-1', 'error.type': 'UNAVAILABLE' },
        status: { message: 'connect ECONNREFUSED' },
        ended: true,
      },
      { name: 'connect storage backend', status: undefined, ended: true },
    ]);
  });

  it('counts reconnects by how they ended, and how long they took', async () => {
    using telemetry = new RecordingTelemetry();
    const { clock, manager, sessions, world } = setUp();
    manager.start(NEVER);
    await clock.advance(0);
    world.up = false;
    sessions[0]?.drop();
    await clock.advance(2_000);
    world.up = true;
    await clock.advance(1_000);
    const status = 'reattach.backend.reconnect.status';
    expect(telemetry.total('reattach.backend.reconnects', { [status]: 'failure' })).toBe(1);
    expect(telemetry.total('reattach.backend.reconnects', { [status]: 'success' })).toBe(1);
    expect(telemetry.total('reattach.backend.reconnect.duration')).toBe(3);
    await manager[Symbol.asyncDispose]();
  });
});
