import {
  isSpanContextValid,
  type Link,
  type Span,
  type SpanContext,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { CoreError } from '../model/errors.ts';
import { requirePositive } from '../model/require-positive.ts';
import type { ReconcileTrigger, TriggerReason } from '../model/trigger-reason.ts';
import type { Clock } from '../ports/clock.ts';
import { type Logger, silentLogger } from '../ports/logger.ts';
import { errorType } from '../telemetry/error-type.ts';
import { createCounter, createDurationHistogram } from '../telemetry/instruments.ts';
import {
  ATTR_ERROR_TYPE,
  ATTR_RECONCILE_ID,
  ATTR_RECONCILE_REASONS,
  ATTR_RECONCILE_RESULT,
  ATTR_TRIGGER_REASON,
} from '../telemetry/semconv.ts';
import { type Backoff, backoffMs } from './backoff.ts';
import { CoalescingTrigger } from './coalescing-trigger.ts';
import { type PassResultKind, RECONCILE_INSTRUMENTS } from './reconcile-instruments.ts';
import type { PassContext, ReconcilePass } from './reconcile-pass.ts';

export interface AttachmentReconcilerOptions {
  readonly pass: ReconcilePass;
  readonly clock: Clock;
  /** Numbers in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** Default silent. */
  readonly logger?: Logger;
  /** Longest time between two passes, ms. Default 300 000: a safety net under triggers and deadlines. */
  readonly intervalMs?: number;
  /** Waits after failed passes. Default 1 s, doubling up to 60 s, with 10 % jitter. */
  readonly retry?: Backoff;
}

/** The last pass that ended, for health checks and people. */
export interface LastPass {
  readonly reconcileId: string;
  readonly reasons: ReadonlySet<TriggerReason>;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly result: PassResultKind;
  /** Passes that failed since the last one that did not, this one included. */
  readonly failures: number;
}

const DEFAULT_INTERVAL_MS = 300_000;
const DEFAULT_RETRY: Backoff = { initialMs: 1_000, maxMs: 60_000 };

const SPAN_NAME = 'reconcile attachments';

/** Shortest wait for a deadline, ms: a pass that keeps naming a past one runs at most 20 times a second. */
const MIN_DEADLINE_DELAY_MS = 50;

/**
 * The loop around a pass. One runs at start, on `triggerReconcile()`, at the deadline the last one returned, after a back-off when it
 * failed, and at the latest `intervalMs` after the last one that came for more than a deadline.
 *
 * Invariants: passes never overlap; a trigger is always followed by the start of a pass; no pass ends the loop; no timer
 * outlives `stop()`.
 */
export class AttachmentReconciler implements ReconcileTrigger {
  readonly #pass: ReconcilePass;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #logger: Logger;
  readonly #intervalMs: number;
  readonly #retry: Backoff;
  /** Tells the passes of this process from those of another; the number after it, from each other. */
  readonly #idPrefix: string;
  readonly #trigger = new CoalescingTrigger();
  readonly #tracer = trace.getTracer('@reattach/core');
  readonly #passes = createCounter(RECONCILE_INSTRUMENTS.reconcilePasses);
  readonly #requests = createCounter(RECONCILE_INSTRUMENTS.triggerRequests);
  readonly #duration = createDurationHistogram(RECONCILE_INSTRUMENTS.reconcileDuration);
  /** Set from `start()` until the loop has ended. */
  #running: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;
  /** What wakes the idle loop; empty while a pass runs. */
  #alarms: Disposable[] = [];
  /** When the last pass ended that came for more than a deadline, epoch ms. */
  #fullPassAtMs = 0;
  /** Spans that asked for the next pass, the first one for each reason. */
  readonly #causes = new Map<TriggerReason, SpanContext>();
  #failures = 0;
  #started = 0;
  #lastPass: LastPass | undefined;

  /** @throws {TypeError} naming each collaborator that is missing, or an option that is out of range. */
  constructor(options: AttachmentReconcilerOptions) {
    const missing = (['pass', 'clock'] as const).filter((name) => !options?.[name]);
    if (missing.length > 0) throw new TypeError(`AttachmentReconciler needs ${missing.join(' and ')}`);
    this.#pass = options.pass;
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
    this.#idPrefix = Math.floor(this.#random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
    this.#logger = options.logger ?? silentLogger;
    this.#intervalMs = requirePositive('intervalMs', options.intervalMs ?? DEFAULT_INTERVAL_MS);
    const { initialMs, maxMs } = options.retry ?? DEFAULT_RETRY;
    this.#retry = {
      initialMs: requirePositive('retry.initialMs', initialMs),
      maxMs: requirePositive('retry.maxMs', maxMs),
    };
  }

  /** From `start()` until its loop has ended. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** `undefined` until a first pass has ended. */
  get lastPass(): LastPass | undefined {
    return this.#lastPass;
  }

  /** Remembered before `start()`; does nothing between `stop()` and the next `start()`. The pass links to the span it is called in. */
  triggerReconcile(reason: TriggerReason): void {
    this.#request(reason, trace.getActiveSpan()?.spanContext());
  }

  /** @param cause what the span of the pass links to. */
  #request(reason: TriggerReason, cause: SpanContext | undefined): void {
    this.#requests.add(1, { [ATTR_TRIGGER_REASON]: reason });
    if (cause && isSpanContextValid(cause) && !this.#causes.has(reason)) this.#causes.set(reason, cause);
    this.#trigger.request(reason);
  }

  #takeLinks(): Link[] {
    const links = [...this.#causes].map(([reason, context]): Link => {
      return { context, attributes: { [ATTR_TRIGGER_REASON]: reason } };
    });
    this.#causes.clear();
    return links;
  }

  /**
   * Starts the loop and resolves when its first pass has ended, however it ended, or `stop()` was called.
   * Aborting `signal`, then or later, is `stop()`.
   * @throws {CoreError} `ALREADY_RUNNING` until the loop of an earlier `start()` has ended; nothing was changed.
   * @throws `signal.reason` when aborted before the first pass has ended.
   */
  async start(signal: AbortSignal): Promise<void> {
    if (this.#running) {
      throw new CoreError('ALREADY_RUNNING', 'not-applied', 'the reconciler is already running');
    }
    signal.throwIfAborted();
    const abort = new AbortController();
    const firstPass = Promise.withResolvers<void>();
    const onAbort = () => abort.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#failures = 0;
    const ended = this.#loop(abort.signal, firstPass.resolve).finally(() => {
      signal.removeEventListener('abort', onAbort);
      this.#running = undefined;
    });
    this.#running = { abort, ended };
    this.triggerReconcile('startup');
    await Promise.race([firstPass.promise, ended]);
    signal.throwIfAborted();
  }

  /** Aborts the running pass, waits until it and all it has begun have settled, and leaves no timer behind. Idempotent. */
  async stop(): Promise<void> {
    const running = this.#running;
    running?.abort.abort();
    await running?.ended;
  }

  async #loop(signal: AbortSignal, onPassEnded: () => void): Promise<void> {
    try {
      await this.#trigger.run(async (reasons) => {
        this.#silenceAlarms();
        const ending = await this.#runPass(reasons, signal);
        if (!signal.aborted) this.#setAlarms(ending, reasons);
        onPassEnded();
      }, signal);
    } finally {
      this.#silenceAlarms();
      await this.#pass.settled?.();
    }
  }

  /** Runs one pass, measured and traced. Never rejects. */
  async #runPass(
    reasons: ReadonlySet<TriggerReason>,
    signal: AbortSignal,
  ): Promise<PassEnding & { readonly spanContext: SpanContext }> {
    const startedAtMs = this.#clock.now();
    const reconcileId = `${this.#idPrefix}-${++this.#started}`;
    const attributes = { [ATTR_RECONCILE_ID]: reconcileId, [ATTR_RECONCILE_REASONS]: [...reasons] };
    const options = { root: true, attributes, links: this.#takeLinks() };
    const ending = await this.#tracer.startActiveSpan(SPAN_NAME, options, async (span) => {
      try {
        const attempt = await this.#attempt(
          {
            reasons,
            nowMs: startedAtMs,
            reconcileId,
            wake: () => this.#request('deadline', span.spanContext()),
          },
          signal,
          span,
        );
        return { ...attempt, spanContext: span.spanContext() };
      } finally {
        span.end();
      }
    });
    const durationMs = this.#clock.now() - startedAtMs;
    const { kind: result } = ending;
    if (result === 'ok') this.#failures = 0;
    if (result === 'failed') this.#failures++;
    this.#lastPass = { reconcileId, reasons, startedAtMs, durationMs, result, failures: this.#failures };
    const [firstReason] = reasons;
    this.#passes.add(1, { [ATTR_TRIGGER_REASON]: firstReason, [ATTR_RECONCILE_RESULT]: result });
    this.#duration.record(durationMs / 1_000, { [ATTR_RECONCILE_RESULT]: result });
    if (result === 'ok') {
      this.#logger.debug('Reconcile pass ran', {
        reconcileID: reconcileId,
        reasons: [...reasons],
        durationMs,
      });
    }
    return ending;
  }

  async #attempt(context: PassContext, signal: AbortSignal, span: Span): Promise<PassEnding> {
    try {
      const { nextDeadlineMs = Number.POSITIVE_INFINITY } = await this.#pass.run(context, signal);
      return { kind: 'ok', nextDeadlineMs };
    } catch (err) {
      if (signal.aborted) return { kind: 'aborted' };
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttribute(ATTR_ERROR_TYPE, errorType(err));
      const attempt = this.#failures + 1;
      const retryInMs = backoffMs(this.#retry, attempt, this.#random());
      this.#logger.warn('Reconcile pass failed', {
        err,
        reconcileID: context.reconcileId,
        reasons: [...context.reasons],
        attempt,
        retryInMs,
      });
      return { kind: 'failed', retryInMs };
    }
  }

  /** A pass that goes on with what this one began links to it. */
  #setAlarms(
    ending: PassEnding & { readonly spanContext: SpanContext },
    reasons: ReadonlySet<TriggerReason>,
  ): void {
    const alarm = (reason: TriggerReason, delayMs: number, cause?: SpanContext) => {
      this.#alarms.push(this.#clock.after(delayMs, () => this.#request(reason, cause)));
    };
    const nowMs = this.#clock.now();
    if ([...reasons].some((reason) => reason !== 'deadline')) this.#fullPassAtMs = nowMs;
    const sinceMs = Math.max(nowMs - this.#fullPassAtMs, 0); // the clock may have been set back
    alarm('periodic', Math.max(this.#intervalMs - sinceMs, 0));
    if (ending.kind === 'failed') alarm('retry', ending.retryInMs, ending.spanContext);
    if (ending.kind === 'ok' && Number.isFinite(ending.nextDeadlineMs)) {
      const delayMs = Math.max(ending.nextDeadlineMs - nowMs, MIN_DEADLINE_DELAY_MS);
      alarm('deadline', delayMs, ending.spanContext);
    }
  }

  #silenceAlarms(): void {
    for (const alarm of this.#alarms.splice(0)) alarm[Symbol.dispose]();
  }
}

type PassEnding =
  /** `nextDeadlineMs` is infinite when nothing waits. */
  | { readonly kind: 'ok'; readonly nextDeadlineMs: number }
  | { readonly kind: 'failed'; readonly retryInMs: number }
  | { readonly kind: 'aborted' };
