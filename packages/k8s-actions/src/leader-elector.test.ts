import { FakeClock, RecordingLogger, settle } from '@reattach/core/testing';
import { KubeApiError } from '@reattach/k8s-api';
import { describe, expect, it } from 'vitest';
import { type LeaseClient, LeaseServer, type Transit } from '../test/lease-server.ts';
import { LeaderElector, type LeaderElectorOptions } from './leader-elector.ts';

const OWNER = 'csi.test/cluster-1';
const DOWN: Transit = { thereMs: 0, backMs: 0, lost: 'refused' };
const BLACK_HOLE: Transit = { thereMs: 0, backMs: 0, lost: 'request' };
const DEAF: Transit = { thereMs: 0, backMs: 0, lost: 'answer' };

interface Replica {
  readonly elector: LeaderElector;
  readonly client: LeaseClient;
  readonly logger: RecordingLogger;
  /** Signals that `lead` was called with, oldest first. */
  readonly terms: AbortSignal[];
  /** Aborts, lets time pass and waits for the end. */
  readonly stop: (passMs?: number) => Promise<void>;
  readonly running: Promise<void>;
}

function setUp() {
  const clock = new FakeClock();
  const server = new LeaseServer(clock);
  const elector = (identity: string, options: Partial<LeaderElectorOptions> = {}) => {
    const client = server.client();
    const logger = new RecordingLogger();
    const common = { namespace: 'reattach', name: 'controller', owner: OWNER, random: () => 0.5 };
    return {
      elector: new LeaderElector({ api: client, clock, identity, logger, ...common, ...options }),
      client,
      logger,
    };
  };
  /** A replica that runs and whose `lead` ends with its signal. */
  const start = async (identity: string, lead = untilAborted): Promise<Replica> => {
    const made = elector(identity);
    const terms: AbortSignal[] = [];
    const controller = new AbortController();
    const work = (signal: AbortSignal) => {
      terms.push(signal);
      return lead(signal);
    };
    const running = made.elector.run(work, controller.signal);
    await settle();
    await clock.advance(0);
    const stop = async (passMs = 0) => {
      controller.abort(new Error('shutting down'));
      await clock.advance(passMs);
      await running;
    };
    return { ...made, terms, stop, running };
  };
  return { clock, server, elector, start };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return promise;
}

describe('LeaderElector', () => {
  describe('acquiring', () => {
    it('never claims the Lease of another owner, and reports it as an error', async () => {
      const { clock, server, elector, start } = setUp();
      const first = await start('a');
      await first.stop();
      const other = elector('b', { owner: 'other.csi.test/cluster-1' });
      const controller = new AbortController();
      const running = other.elector.run(untilAborted, controller.signal);
      await clock.advance(60_000);
      expect(other.elector.isLeader).toBe(false);
      expect(other.client.calls).not.toContain('PUT');
      expect(server.holder).toBe('');
      expect(other.logger.lines.filter(({ level }) => level === 'error')).toMatchObject([
        {
          message: 'Leader lease could not be read or claimed',
          fields: { err: { code: 'FOREIGN_OWNER', outcome: 'not-applied' } },
        },
      ]);
      controller.abort();
      await running;
    });

    it('creates the Lease when there is none, and leads at once', async () => {
      const { server, start } = setUp();
      const a = await start('a');
      expect(a.client.calls).toEqual(['GET', 'POST']);
      expect(a.client.requests[1]?.path).toBe('/apis/coordination.k8s.io/v1/namespaces/reattach/leases');
      expect(server.lease).toMatchObject({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: {
          namespace: 'reattach',
          name: 'controller',
          annotations: { 'reattach.srvlab.io/owner': OWNER },
        },
        spec: {
          holderIdentity: 'a',
          leaseDurationSeconds: 15,
          acquireTime: '2026-01-01T00:00:00.000000Z',
          renewTime: '2026-01-01T00:00:00.000000Z',
          leaseTransitions: 0,
        },
      });
      expect(a.terms).toHaveLength(1);
      expect(a.elector).toMatchObject({ isLeader: true, holder: 'a', identity: 'a' });
      a.elector.assertHeld();
      await a.stop();
    });

    it('waits while another replica renews, however often', async () => {
      const { clock, start } = setUp();
      const a = await start('a');
      const b = await start('b');
      await clock.advance(600_000);
      expect(b.terms).toHaveLength(0);
      expect(b.elector).toMatchObject({ isLeader: false, holder: 'a' });
      expect(() => b.elector.assertHeld()).toThrow('NOT_LEADER: b does not hold the leader lease');
      expect(a.terms).toHaveLength(1);
      expect(a.terms[0]?.aborted).toBe(false);
      await b.stop();
      await a.stop();
    });

    it('takes over once the claim was seen unchanged for its whole time, and counts the transition', async () => {
      const { clock, server, start } = setUp();
      const a = await start('a');
      await clock.advance(1_999);
      a.client.transit = () => BLACK_HOLE; // frozen just before it renews
      const b = await start('b'); // sees the claim for the first time, when it is 2 s old
      await clock.advance(14_999);
      expect(b.elector.isLeader).toBe(false);
      await clock.advance(1);
      expect(b.elector.isLeader).toBe(true);
      expect(server.lease?.spec).toMatchObject({
        holderIdentity: 'b',
        leaseTransitions: 1,
        acquireTime: '2026-01-01T00:00:16.999000Z',
      });
      expect(a.elector.isLeader).toBe(false);
      a.client.transit = () => DOWN;
      await a.stop();
      await b.stop();
    });

    it('believes no time that is written in the Lease', async () => {
      const { clock, server, start } = setUp();
      server.carryOut(leaseOf('z', '1999-01-01T00:00:00.000000Z'));
      const b = await start('b');
      expect(b.elector.isLeader).toBe(false);
      await clock.advance(14_999);
      expect(b.elector.isLeader).toBe(false);
      await clock.advance(1);
      expect(b.elector.isLeader).toBe(true);
      await b.stop();
    });

    it('waits as long as the holder says its claim lasts', async () => {
      const { clock, server, start } = setUp();
      server.carryOut(leaseOf('z', '2026-01-01T00:00:00.000000Z', 60));
      const b = await start('b');
      await clock.advance(59_999);
      expect(b.elector.isLeader).toBe(false);
      await clock.advance(1);
      expect(b.elector.isLeader).toBe(true);
      await b.stop();
    });

    it('does not take over earlier when the wall clock steps ahead', async () => {
      const { clock, server, elector } = setUp();
      server.carryOut(leaseOf('z', '2026-01-01T00:00:00.000000Z'));
      let stepMs = 0;
      const stepping = {
        now: () => clock.now() + stepMs,
        after: (delayMs: number, fn: () => void) => clock.after(delayMs, fn),
      };
      const b = elector('b', { clock: stepping });
      const controller = new AbortController();
      const running = b.elector.run(untilAborted, controller.signal);
      await clock.advance(5_000);
      stepMs = 3_600_000;
      await clock.advance(9_999);
      expect(server.holder).toBe('z');
      await clock.advance(1);
      expect(server.holder).toBe('b');
      controller.abort();
      await clock.advance(0);
      await running;
    });

    it('keeps waiting for a holder whose Lease vanished', async () => {
      const { clock, server, start } = setUp();
      server.carryOut(leaseOf('z', '2026-01-01T00:00:00.000000Z'));
      const b = await start('b');
      server.lease = undefined;
      await clock.advance(14_999);
      expect(b.elector.isLeader).toBe(false);
      await clock.advance(5_000);
      expect(b.elector.isLeader).toBe(true);
      await b.stop();
    });

    it('takes at once what carries its own name: a claim whose answer was lost', async () => {
      const { clock, server, elector } = setUp();
      const a = elector('a');
      a.client.transit = ({ method }) => (method === 'GET' ? { thereMs: 0, backMs: 0 } : DEAF);
      const controller = new AbortController();
      const running = a.elector.run(untilAborted, controller.signal);
      await clock.advance(4_999);
      expect(server.holder).toBe('a');
      expect(a.elector.isLeader).toBe(false);
      a.client.transit = () => ({ thereMs: 0, backMs: 0 });
      await clock.advance(1 + 3_200); // the request's bound, then one pause of 2 s x 1.6
      expect(a.elector.isLeader).toBe(true);
      expect(server.lease?.spec['leaseTransitions']).toBe(0);
      controller.abort();
      await clock.advance(0);
      await running;
    });

    it('keeps fields it does not know', async () => {
      const { server, start } = setUp();
      const lease = leaseOf('', '2026-01-01T00:00:00.000000Z');
      server.carryOut({
        ...lease,
        body: { ...(lease.body as object), kind: 'Lease', extra: { kept: true } },
      });
      const b = await start('b');
      expect(server.lease).toMatchObject({
        extra: { kept: true },
        spec: { strategy: 'OldestEmulationVersion' },
      });
      await b.stop();
    });

    it('goes on after every kind of failure, and warns once per row of them', async () => {
      const { clock, elector } = setUp();
      const a = elector('a');
      a.client.transit = () => DOWN;
      const controller = new AbortController();
      const running = a.elector.run(untilAborted, controller.signal);
      await clock.advance(60_000);
      expect(a.logger.messages('warn')).toEqual(['Leader lease could not be read or claimed']);
      expect(a.logger.messages('debug').length).toBeGreaterThan(10);
      a.client.transit = () => ({ thereMs: 0, backMs: 0 });
      await clock.advance(3_200);
      expect(a.elector.isLeader).toBe(true);
      controller.abort();
      await clock.advance(0);
      await running;
      expect(clock.pendingTimers).toBe(0);
    });
  });

  describe('leading', () => {
    it('renews every 2 s with one request', async () => {
      const { clock, server, start } = setUp();
      const a = await start('a');
      await clock.advance(10_000);
      expect(a.client.calls).toEqual(['GET', 'POST', 'PUT', 'PUT', 'PUT', 'PUT', 'PUT']);
      expect(server.lease?.spec).toMatchObject({
        acquireTime: '2026-01-01T00:00:00.000000Z',
        renewTime: '2026-01-01T00:00:10.000000Z',
        leaseTransitions: 0,
      });
      await a.stop();
    });

    it('holds for 10 s from before its last renewal was sent, and not a millisecond longer', async () => {
      const { clock, start } = setUp();
      const a = await start('a');
      a.client.transit = () => ({ thereMs: 0, backMs: 1_500 }); // sent at 2 s, answered at 3.5 s
      await clock.advance(3_500);
      a.client.transit = () => DOWN;
      await clock.advance(2_000 + 10_000 - 3_500 - 1);
      a.elector.assertHeld();
      expect(a.terms[0]?.aborted).toBe(false);
      await clock.advance(1);
      expect(() => a.elector.assertHeld()).toThrow(
        expect.objectContaining({ code: 'NOT_LEADER', outcome: 'not-applied' }),
      );
      expect(a.terms[0]?.aborted).toBe(true);
      expect(a.terms[0]?.reason).toMatchObject({ code: 'NOT_LEADER' });
      expect(a.logger.messages('warn')).toContain('Lost leadership');
      await a.stop();
    });

    it.each([
      ['back', -3_600_000, 10_000],
      ['ahead', 3_600_000, 0],
    ])('holds no longer when the wall clock steps %s', async (_where, byMs, heldMs) => {
      const { clock, elector } = setUp();
      let stepMs = 0;
      const stepping = {
        now: () => clock.now() + stepMs,
        after: (delayMs: number, fn: () => void) => clock.after(delayMs, fn),
      };
      const a = elector('a', { clock: stepping });
      const controller = new AbortController();
      const running = a.elector.run(untilAborted, controller.signal);
      await clock.advance(0);
      a.elector.assertHeld();
      a.client.transit = () => DOWN;
      stepMs = byMs;
      await clock.advance(heldMs);
      expect(a.elector.isLeader).toBe(false);
      controller.abort();
      await clock.advance(0);
      await running;
    });

    it('holds no longer when timers are late, as after the machine slept', async () => {
      const { clock, elector } = setUp();
      const late = {
        now: () => clock.now(),
        after: (delayMs: number, fn: () => void) =>
          clock.after(delayMs === 10_000 ? delayMs + 60_000 : delayMs, fn),
      };
      const a = elector('a', { clock: late });
      a.client.transit = ({ method }) => ({ thereMs: 0, backMs: method === 'POST' ? 1_500 : 0 });
      const controller = new AbortController();
      const running = a.elector.run(untilAborted, controller.signal);
      await clock.advance(1_500);
      a.client.transit = () => DOWN;
      await clock.advance(8_499);
      expect(a.elector.isLeader).toBe(true);
      await clock.advance(1); // 10 s since the claim was sent
      expect(a.elector.isLeader).toBe(false);
      controller.abort();
      await clock.advance(0);
      await running;
    });

    it('stops at once when it sees another holder', async () => {
      const { clock, server, start } = setUp();
      const a = await start('a');
      const { resourceVersion } = server.lease?.metadata ?? {};
      server.carryOut({
        ...leaseOf('z', '2026-01-01T00:00:01.000000Z'),
        method: 'PUT',
        body: {
          kind: 'Lease',
          metadata: { name: 'controller', resourceVersion },
          spec: { holderIdentity: 'z', leaseDurationSeconds: 15 },
        },
      });
      await clock.advance(2_000);
      expect(a.elector).toMatchObject({ isLeader: false, holder: 'z' });
      expect(a.terms[0]?.reason).toMatchObject({ message: 'NOT_LEADER: z holds the leader lease' });
      await a.stop();
      expect(server.holder).toBe('z');
    });

    it('renews after a write by another client that is not a replica', async () => {
      const { clock, server, start } = setUp();
      const a = await start('a');
      if (!server.lease) throw new Error('no Lease');
      const labelled = { ...server.lease, metadata: { ...server.lease.metadata, labels: { by: 'hand' } } };
      server.carryOut({ ...leaseOf('', ''), method: 'PUT', body: labelled });
      await clock.advance(60_000);
      expect(a.terms[0]?.aborted).toBe(false);
      expect(server.lease?.metadata['labels']).toEqual({ by: 'hand' });
      await a.stop();
    });

    it('creates a Lease again that was deleted meanwhile', async () => {
      const { clock, server, start } = setUp();
      const a = await start('a');
      server.lease = undefined;
      await clock.advance(2_000);
      expect(server.holder).toBe('a');
      expect(a.terms[0]?.aborted).toBe(false);
      await a.stop();
    });

    it('waits for its work to settle after a loss, then competes again', async () => {
      const { clock, server, start } = setUp();
      const { promise, resolve } = Promise.withResolvers<void>();
      let calls = 0;
      const a = await start('a', (signal) => (++calls === 1 ? promise : untilAborted(signal)));
      a.client.transit = () => DOWN;
      await clock.advance(12_000);
      expect(a.terms[0]?.aborted).toBe(true);
      a.client.transit = () => ({ thereMs: 0, backMs: 0 });
      const before = a.client.calls.length;
      await clock.advance(60_000);
      expect(a.client.calls).toHaveLength(before);
      expect(a.terms).toHaveLength(1);
      resolve();
      await clock.advance(0);
      expect(a.terms).toHaveLength(2);
      expect(a.terms[1]?.aborted).toBe(false);
      expect(server.holder).toBe('a');
      await a.stop();
    });

    it('passes a failure of its work on, after releasing the Lease', async () => {
      const { clock, server, elector } = setUp();
      const { elector: a } = elector('a');
      const failure = new Error('broken');
      const result = a
        .run(() => Promise.reject(failure), new AbortController().signal)
        .catch((err: unknown) => err);
      await clock.advance(0);
      expect(await result).toBe(failure);
      expect(server.holder).toBe('');
      expect(clock.pendingTimers).toBe(0);
    });

    it('ends when its work does, and can run again', async () => {
      const { clock, server, elector } = setUp();
      const { elector: a } = elector('a');
      const { signal } = new AbortController();
      for (const transitions of [0, 1]) {
        const running = a.run(() => Promise.resolve(), signal);
        await clock.advance(0);
        await running;
        expect(server.lease?.spec).toMatchObject({ holderIdentity: '', leaseTransitions: transitions });
      }
      expect(clock.pendingTimers).toBe(0);
    });

    it('refuses a second run at the same time', async () => {
      const a = await setUp().start('a');
      await expect(a.elector.run(untilAborted, new AbortController().signal)).rejects.toThrow(TypeError);
      await a.stop();
    });
  });

  describe('shutdown', () => {
    it('releases the Lease, so that the next leader follows within one retry period', async () => {
      const { clock, server, start } = setUp();
      const a = await start('a');
      const b = await start('b');
      await clock.advance(30_000);
      await a.stop();
      expect(a.elector).toMatchObject({ isLeader: false, holder: undefined });
      expect(a.terms[0]?.reason).toEqual(new Error('shutting down'));
      expect(server.lease?.spec).toMatchObject({
        holderIdentity: '',
        leaseDurationSeconds: 1,
        leaseTransitions: 0,
      });
      await clock.advance(3_200); // 2 s x 1.6
      expect(b.elector.isLeader).toBe(true);
      expect(server.lease?.spec).toMatchObject({
        holderIdentity: 'b',
        leaseDurationSeconds: 15,
        leaseTransitions: 1,
      });
      await b.stop();
      expect(clock.pendingTimers).toBe(0);
    });

    it('keeps the Lease renewed until its work has settled', async () => {
      const { clock, server, elector } = setUp();
      const { promise, resolve } = Promise.withResolvers<void>();
      const { elector: a } = elector('a');
      const controller = new AbortController();
      const running = a.run(() => promise, controller.signal);
      await clock.advance(0);
      controller.abort();
      await clock.advance(30_000);
      a.assertHeld();
      expect(server.lease?.spec['renewTime']).toBe('2026-01-01T00:00:30.000000Z');
      resolve();
      await clock.advance(0);
      await running;
      expect(a.isLeader).toBe(false);
      expect(server.holder).toBe('');
    });

    it('releases past a renewal that was cut off and arrived late', async () => {
      const { clock, server, elector } = setUp();
      const { elector: a, client } = elector('a');
      const controller = new AbortController();
      const running = a.run(untilAborted, controller.signal);
      await clock.advance(0);
      client.transit = ({ operation }) => ({
        thereMs: operation === 'update leader lease' ? 50 : 40,
        backMs: 0,
      });
      await clock.advance(2_000); // the renewal lasts until 2.05 s
      controller.abort(); // GET arrives at 2.04 s, the release at 2.08 s
      await clock.advance(1_000);
      await running;
      expect(client.calls.slice(-5)).toEqual(['PUT', 'GET', 'PUT', 'GET', 'PUT']);
      expect(server.holder).toBe('');
    });

    it("leaves another's Lease alone, and sends nothing when it never claimed", async () => {
      const { clock, server, start } = setUp();
      const a = await start('a');
      const b = await start('b');
      await clock.advance(10_000);
      const before = b.client.calls.length;
      await b.stop();
      expect(b.client.calls).toHaveLength(before);
      expect(server.holder).toBe('a');
      await a.stop();
    });

    it('does not wait long for an API server that does not answer', async () => {
      const { clock, start } = setUp();
      const a = await start('a');
      a.client.transit = () => BLACK_HOLE;
      await a.stop(2_000);
      expect(a.logger.lines.at(-1)).toMatchObject({
        message: 'Leadership was not released',
        fields: { err: expect.any(KubeApiError) },
      });
      expect(clock.pendingTimers).toBe(0);
    });

    it('sends nothing when aborted before it starts', async () => {
      const { elector } = setUp();
      const { elector: a, client } = elector('a');
      await a.run(untilAborted, AbortSignal.abort());
      expect(client.calls).toEqual([]);
    });
  });

  it.each([
    ['an empty identity', { identity: '' }],
    ['a lease shorter than the deadline and one write', { leaseDurationMs: 14_000 }],
    ['a lease of broken seconds', { leaseDurationMs: 15_500 }],
    ['a deadline that one late renewal misses', { renewDeadlineMs: 4_400 }],
    ['no pause', { retryPeriodMs: 0 }],
    ['no number', { renewDeadlineMs: Number.NaN }],
  ])('refuses %s', (_what, options) => {
    expect(() => setUp().elector('a', options)).toThrow(TypeError);
  });
});

function leaseOf(holderIdentity: string, renewTime: string, leaseDurationSeconds = 15) {
  return {
    method: 'POST',
    path: '',
    operation: '',
    signal: new AbortController().signal,
    body: {
      kind: 'Lease',
      metadata: { name: 'controller' },
      spec: { holderIdentity, renewTime, leaseDurationSeconds, strategy: 'OldestEmulationVersion' },
    },
  } as const;
}
