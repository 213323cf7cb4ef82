import { SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { TRIGGER_REASONS } from '../model/trigger-reason.ts';
import { FakeClock, settle } from '../testing/fake-clock.ts';
import { RecordingLogger } from '../testing/recording-logger.ts';
import { RecordingTelemetry } from '../testing/recording-telemetry.ts';
import { AttachmentReconciler, type AttachmentReconcilerOptions } from './attachment-reconciler.ts';
import type { PassContext, PassResult, ReconcilePass } from './reconcile-pass.ts';

/** Does what `behave` says; by default it succeeds with nothing to wait for. */
class ScriptedPass implements ReconcilePass {
  readonly contexts: PassContext[] = [];
  settled?: () => Promise<void>;
  behave: (signal: AbortSignal) => Promise<PassResult> = async () => ({});

  async run(context: PassContext, signal: AbortSignal): Promise<PassResult> {
    this.contexts.push(context);
    return await this.behave(signal);
  }

  get reasons(): string[][] {
    return this.contexts.map(({ reasons }) => [...reasons]);
  }
}

function setUp(options: Partial<AttachmentReconcilerOptions> = {}) {
  const clock = new FakeClock();
  const pass = new ScriptedPass();
  const logger = new RecordingLogger();
  // A random number of 0.5 gives no jitter.
  const reconciler = new AttachmentReconciler({ pass, clock, logger, random: () => 0.5, ...options });
  return { clock, pass, logger, reconciler, abort: new AbortController() };
}

/** What a caller without types can do. */
const create = (options?: unknown) => () => new AttachmentReconciler(options as AttachmentReconcilerOptions);

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

describe('AttachmentReconciler', () => {
  describe('start', () => {
    it('runs a pass and resolves when it has ended', async () => {
      const { reconciler, pass, abort } = setUp();
      const gate = Promise.withResolvers<PassResult>();
      pass.behave = () => gate.promise;
      let started = false;
      const start = reconciler.start(abort.signal).then(() => (started = true));
      await settle();
      expect(pass.reasons).toEqual([['startup']]);
      expect(started).toBe(false);
      gate.resolve({});
      await start;
      expect(reconciler.lastPass).toMatchObject({ result: 'ok', failures: 0 });
    });

    it('runs until its loop has ended', async () => {
      const { reconciler, abort } = setUp();
      expect(reconciler.isRunning).toBe(false);
      await reconciler.start(abort.signal);
      expect(reconciler.isRunning).toBe(true);
      await reconciler.stop();
      expect(reconciler.isRunning).toBe(false);
    });

    it('resolves although its first pass failed, so that the loop can retry', async () => {
      const { reconciler, pass, abort } = setUp();
      pass.behave = () => Promise.reject(new Error('boom'));
      await reconciler.start(abort.signal);
      expect(reconciler.lastPass).toMatchObject({ result: 'failed', failures: 1 });
    });

    it('is an error while running, and changes nothing', async () => {
      const { reconciler, pass, abort } = setUp();
      await reconciler.start(abort.signal);
      await expect(reconciler.start(abort.signal)).rejects.toMatchObject({
        code: 'ALREADY_RUNNING',
        outcome: 'not-applied',
      });
      reconciler.triggerReconcile('manual');
      await settle();
      expect(pass.reasons).toEqual([['startup'], ['manual']]);
    });

    it('is an error until the pass of a stopped loop has settled', async () => {
      const { reconciler, pass, abort } = setUp();
      const gate = Promise.withResolvers<PassResult>();
      pass.behave = () => gate.promise;
      void reconciler.start(abort.signal);
      await settle();
      const stop = reconciler.stop();
      await expect(reconciler.start(abort.signal)).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
      gate.resolve({});
      await stop;
      await reconciler.start(abort.signal);
      expect(pass.contexts).toHaveLength(2);
    });

    it('runs a request made before it in the first pass', async () => {
      const { reconciler, pass, abort } = setUp();
      reconciler.triggerReconcile('node-deleted');
      await reconciler.start(abort.signal);
      expect(pass.reasons).toEqual([['node-deleted', 'startup']]);
    });

    it('rejects with the reason of a signal that has aborted already, and starts nothing', async () => {
      const { reconciler, pass, abort, clock } = setUp();
      abort.abort(new Error('too late'));
      await expect(reconciler.start(abort.signal)).rejects.toThrow('too late');
      expect(pass.contexts).toEqual([]);
      expect(clock.pendingTimers).toBe(0);
    });

    it('rejects with the reason of a signal that aborts in the first pass, once that has settled', async () => {
      const { reconciler, pass, abort, logger } = setUp();
      pass.behave = untilAborted;
      const start = reconciler.start(abort.signal);
      await settle();
      abort.abort(new Error('shutting down'));
      await expect(start).rejects.toThrow('shutting down');
      expect(logger.messages('warn')).toEqual([]);
      expect(reconciler.lastPass).toMatchObject({ result: 'aborted' });
    });
  });

  describe('stop', () => {
    it('waits for what passes have left in flight', async () => {
      const { reconciler, pass, abort } = setUp();
      const left = Promise.withResolvers<void>();
      pass.settled = () => left.promise;
      await reconciler.start(abort.signal);
      let stopped = false;
      const stop = reconciler.stop().then(() => (stopped = true));
      await settle();
      expect([stopped, reconciler.isRunning]).toEqual([false, true]);
      left.resolve();
      await stop;
      expect(reconciler.isRunning).toBe(false);
    });

    it('is idempotent, before start and after stop', async () => {
      const { reconciler, abort } = setUp();
      await reconciler.stop();
      await reconciler.start(abort.signal);
      await Promise.all([reconciler.stop(), reconciler.stop()]);
      await expect(reconciler.stop()).resolves.toBeUndefined();
    });

    it('aborts the running pass and resolves once it has settled', async () => {
      const { reconciler, pass, abort } = setUp();
      await reconciler.start(abort.signal);
      const cleanUp = Promise.withResolvers<void>();
      pass.behave = async (signal) => {
        await untilAborted(signal).catch(() => cleanUp.promise);
        throw signal.reason;
      };
      reconciler.triggerReconcile('manual');
      await settle();
      let stopped = false;
      const stop = reconciler.stop().then(() => (stopped = true));
      await settle();
      expect(stopped).toBe(false);
      cleanUp.resolve();
      await stop;
      expect(reconciler.lastPass).toMatchObject({ result: 'aborted', failures: 0 });
    });

    it('lets a pass that ignores the abort finish', async () => {
      const { reconciler, pass, abort } = setUp();
      const gate = Promise.withResolvers<PassResult>();
      pass.behave = () => gate.promise;
      const start = reconciler.start(abort.signal);
      await settle();
      const stop = reconciler.stop();
      gate.resolve({ nextDeadlineMs: 1 });
      await stop;
      await expect(start).resolves.toBeUndefined();
      expect(reconciler.lastPass).toMatchObject({ result: 'ok' });
    });

    it('leaves no timer and starts no pass afterwards', async () => {
      const { reconciler, pass, clock, abort } = setUp();
      pass.behave = async () => ({ nextDeadlineMs: clock.now() + 1_000 });
      await reconciler.start(abort.signal);
      expect(clock.pendingTimers).toBe(2);
      await reconciler.stop();
      expect(clock.pendingTimers).toBe(0);
      reconciler.triggerReconcile('manual');
      await clock.advance(600_000);
      expect(pass.contexts).toHaveLength(1);
    });

    it('happens when the signal given to start aborts', async () => {
      const { reconciler, pass, clock, abort } = setUp();
      await reconciler.start(abort.signal);
      abort.abort();
      await settle();
      expect(clock.pendingTimers).toBe(0);
      reconciler.triggerReconcile('manual');
      await settle();
      expect(pass.contexts).toHaveLength(1);
    });

    it('lets the reconciler be started and triggered again', async () => {
      const { reconciler, pass, clock, abort } = setUp();
      await reconciler.start(abort.signal);
      await reconciler.stop();
      reconciler.triggerReconcile('node-not-ready');
      await reconciler.start(abort.signal);
      reconciler.triggerReconcile('node-deleted');
      await settle();
      await clock.advance(300_000);
      expect(pass.reasons).toEqual([['startup'], ['startup'], ['node-deleted'], ['periodic']]);
    });
  });

  describe('wake-ups', () => {
    it('runs a pass every interval, 5 minutes by default', async () => {
      const { reconciler, pass, clock, abort } = setUp();
      await reconciler.start(abort.signal);
      await clock.advance(299_999);
      expect(pass.contexts).toHaveLength(1);
      await clock.advance(1);
      await clock.advance(300_000);
      expect(pass.reasons).toEqual([['startup'], ['periodic'], ['periodic']]);
    });

    it('runs every interval, however many deadlines come between', async () => {
      const { reconciler, pass, clock, abort } = setUp({ intervalMs: 10_000 });
      pass.behave = async () => ({ nextDeadlineMs: clock.now() + 2_000 });
      await reconciler.start(abort.signal);
      for (let at = 0; at < 25_000; at += 500) await clock.advance(500);
      const periodic = pass.contexts.filter(({ reasons }) => reasons.has('periodic'));
      expect(periodic.map(({ nowMs }) => nowMs - (pass.contexts[0]?.nowMs ?? 0))).toEqual([10_000, 20_000]);
      await reconciler.stop();
    });

    it('keeps the interval it was given', async () => {
      const { reconciler, pass, clock, abort } = setUp({ intervalMs: 1_000 });
      await reconciler.start(abort.signal);
      await clock.advance(3_000);
      expect(pass.contexts).toHaveLength(4);
    });

    it('runs exactly one more pass for any number of triggers during a pass', async () => {
      const { reconciler, pass, abort } = setUp();
      await reconciler.start(abort.signal);
      const gate = Promise.withResolvers<PassResult>();
      pass.behave = () => gate.promise;
      reconciler.triggerReconcile('manual');
      await settle();
      reconciler.triggerReconcile('node-deleted');
      reconciler.triggerReconcile('node-not-ready');
      await settle();
      expect(pass.contexts).toHaveLength(2);
      gate.resolve({});
      await settle();
      expect(pass.reasons).toEqual([['startup'], ['manual'], ['node-deleted', 'node-not-ready']]);
    });

    it('wakes at the deadline a pass returned', async () => {
      const { reconciler, pass, clock, abort } = setUp();
      const deadlineMs = clock.now() + 30_000;
      pass.behave = async () => (clock.now() < deadlineMs ? { nextDeadlineMs: deadlineMs } : {});
      await reconciler.start(abort.signal);
      await clock.advance(29_999);
      expect(pass.contexts).toHaveLength(1);
      await clock.advance(1);
      expect(pass.reasons).toEqual([['startup'], ['deadline']]);
      expect(pass.contexts[1]?.nowMs).toBe(deadlineMs);
      await clock.advance(269_999);
      expect(pass.contexts).toHaveLength(2);
    });

    it('forgets a deadline that the next pass no longer returns', async () => {
      const { reconciler, pass, clock, abort } = setUp();
      pass.behave = async () => ({ nextDeadlineMs: clock.now() + 30_000 });
      await reconciler.start(abort.signal);
      pass.behave = async () => ({});
      reconciler.triggerReconcile('manual');
      await clock.advance(60_000);
      expect(pass.reasons).toEqual([['startup'], ['manual']]);
    });

    it('runs at most 20 passes a second when the deadline is always past', async () => {
      const { reconciler, pass, clock, abort } = setUp();
      pass.behave = async () => ({ nextDeadlineMs: clock.now() - 60_000 });
      await reconciler.start(abort.signal);
      await clock.advance(1_000);
      expect(pass.contexts).toHaveLength(21);
    });

    it('ignores a deadline that is not a number', async () => {
      const { reconciler, pass, clock, abort } = setUp();
      pass.behave = async () => ({ nextDeadlineMs: Number.NaN });
      await reconciler.start(abort.signal);
      expect(clock.pendingTimers).toBe(1);
      await clock.advance(299_999);
      expect(pass.contexts).toHaveLength(1);
    });
  });

  describe('a pass that fails', () => {
    it('is retried after 1, 2, 4 ... and at most 60 seconds until one succeeds', async () => {
      const { reconciler, pass, clock, abort } = setUp();
      pass.behave = () => Promise.reject(new Error('boom'));
      await reconciler.start(abort.signal);
      const at = () => pass.contexts.map(({ nowMs }) => nowMs - (pass.contexts[0]?.nowMs ?? 0));
      await clock.advance(200_000);
      expect(at()).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 123_000, 183_000]);
      expect(pass.reasons.slice(1).every((reasons) => reasons.join() === 'retry')).toBe(true);
      pass.behave = async () => ({});
      await clock.advance(43_000);
      expect(reconciler.lastPass).toMatchObject({ result: 'ok', failures: 0 });
      await clock.advance(299_999);
      expect(pass.contexts).toHaveLength(10);
    });

    it('is retried with 10 % jitter', async () => {
      for (const [random, delayMs] of [
        [0, 900],
        [0.999_999, 1_100],
      ] as const) {
        const { reconciler, pass, clock, abort } = setUp({ random: () => random });
        pass.behave = () => Promise.reject(new Error('boom'));
        await reconciler.start(abort.signal);
        await clock.advance(delayMs - 1);
        expect(pass.contexts).toHaveLength(1);
        await clock.advance(1);
        expect(pass.contexts).toHaveLength(2);
        await reconciler.stop();
      }
    });

    it('is followed by a pass at once when a trigger arrives during the back-off', async () => {
      const { reconciler, pass, clock, abort } = setUp();
      pass.behave = () => Promise.reject(new Error('boom'));
      await reconciler.start(abort.signal);
      pass.behave = async () => ({});
      reconciler.triggerReconcile('node-deleted');
      await clock.advance(0);
      expect(pass.reasons).toEqual([['startup'], ['node-deleted']]);
      await clock.advance(60_000);
      expect(pass.contexts).toHaveLength(2);
    });

    it('is logged once, with its reasons and when it is retried', async () => {
      const { reconciler, pass, logger, abort } = setUp();
      const err = new Error('boom');
      pass.behave = () => Promise.reject(err);
      await reconciler.start(abort.signal);
      expect(logger.lines).toEqual([
        {
          level: 'warn',
          message: 'Reconcile pass failed',
          fields: { err, reconcileID: '80000000-1', reasons: ['startup'], attempt: 1, retryInMs: 1_000 },
        },
      ]);
    });

    it('does not end the loop when it throws synchronously', async () => {
      const { reconciler, pass, clock, abort } = setUp();
      pass.behave = () => {
        throw new Error('boom');
      };
      await reconciler.start(abort.signal);
      await clock.advance(1_000);
      expect(pass.reasons).toEqual([['startup'], ['retry']]);
    });
  });

  describe('PassContext', () => {
    it('carries the time at which the pass started, and an id of its own', async () => {
      const { reconciler, pass, clock, abort } = setUp({ intervalMs: 1_000 });
      const startMs = clock.now();
      await reconciler.start(abort.signal);
      await clock.advance(1_000);
      expect(pass.contexts.map(({ nowMs }) => nowMs)).toEqual([startMs, startMs + 1_000]);
      expect(new Set(pass.contexts.map(({ reconcileId }) => reconcileId)).size).toBe(2);
    });
  });

  describe('constructor', () => {
    it('names the collaborators that are missing', () => {
      expect(create({})).toThrow(new TypeError('AttachmentReconciler needs pass and clock'));
      expect(create()).toThrow(new TypeError('AttachmentReconciler needs pass and clock'));
      expect(create({ pass: new ScriptedPass() })).toThrow(new TypeError('AttachmentReconciler needs clock'));
    });

    it('names an option that is out of range, and what came', () => {
      expect(() => setUp({ intervalMs: 0 })).toThrow(
        'Expected `intervalMs` to be a finite number > 0, got 0',
      );
      expect(() => setUp({ retry: { initialMs: Number.NaN, maxMs: 1 } })).toThrow('`retry.initialMs`');
      expect(() => setUp({ retry: { initialMs: 1, maxMs: -1 } })).toThrow('`retry.maxMs`');
    });
  });

  describe('telemetry', () => {
    it('starts each counter at 0 for each value of its attribute', () => {
      using telemetry = new RecordingTelemetry();
      setUp();
      for (const reason of TRIGGER_REASONS) {
        expect(telemetry.total('reattach.trigger.requests', { 'reattach.trigger.reason': reason })).toBe(0);
      }
      for (const result of ['ok', 'failed', 'aborted']) {
        const attributes = { 'reattach.reconcile.result': result };
        expect(telemetry.total('reattach.attachment.reconcile.passes', attributes)).toBe(0);
      }
    });

    it('counts passes by result and requests by reason, and measures each pass in seconds', async () => {
      using telemetry = new RecordingTelemetry();
      const { reconciler, pass, clock, abort } = setUp();
      pass.behave = async () => {
        await clock.advance(250);
        return {};
      };
      reconciler.triggerReconcile('manual');
      reconciler.triggerReconcile('manual');
      await reconciler.start(abort.signal);
      pass.behave = () => Promise.reject(new Error('boom'));
      reconciler.triggerReconcile('node-deleted');
      await settle();
      const passes = (result: string) =>
        telemetry.total('reattach.attachment.reconcile.passes', { 'reattach.reconcile.result': result });
      expect([passes('ok'), passes('failed'), passes('aborted')]).toEqual([1, 1, 0]);
      // Asked for by `manual` and then by `startup`, too: it counts once.
      const byReason = ['manual', 'startup', 'node-deleted', 'periodic'].map((reason) =>
        telemetry.total('reattach.attachment.reconcile.passes', { 'reattach.trigger.reason': reason }),
      );
      expect(byReason).toEqual([1, 0, 1, 0]);
      expect(telemetry.total('reattach.trigger.requests', { 'reattach.trigger.reason': 'manual' })).toBe(2);
      expect(telemetry.measurements).toContainEqual({
        instrument: 'reattach.attachment.reconcile.duration',
        value: 0.25,
        attributes: { 'reattach.reconcile.result': 'ok' },
      });
    });

    it('puts a span around each pass that names its reasons, and its error when it failed', async () => {
      using telemetry = new RecordingTelemetry();
      const { reconciler, pass, abort } = setUp();
      reconciler.triggerReconcile('manual');
      await reconciler.start(abort.signal);
      pass.behave = () => Promise.reject(Object.assign(new Error('boom'), { code: 'UNAVAILABLE' }));
      reconciler.triggerReconcile('node-deleted');
      await settle();
      expect(telemetry.spans).toMatchObject([
        {
          name: 'reconcile attachments',
          attributes: {
            'reattach.reconcile.id': '80000000-1',
            'reattach.reconcile.reasons': ['manual', 'startup'],
          },
          status: undefined,
          ended: true,
        },
        {
          name: 'reconcile attachments',
          attributes: {
            'reattach.reconcile.id': '80000000-2',
            'reattach.reconcile.reasons': ['node-deleted'],
            'error.type': 'UNAVAILABLE',
          },
          status: { code: SpanStatusCode.ERROR },
          ended: true,
        },
      ]);
    });

    it('marks an aborted pass neither failed nor in error', async () => {
      using telemetry = new RecordingTelemetry();
      const { reconciler, pass, abort } = setUp();
      pass.behave = untilAborted;
      void reconciler.start(abort.signal);
      await settle();
      await reconciler.stop();
      expect(telemetry.spans[0]).toMatchObject({ status: undefined, ended: true });
      const aborted = { 'reattach.reconcile.result': 'aborted' };
      expect(telemetry.total('reattach.attachment.reconcile.passes', aborted)).toBe(1);
    });
  });
});
