import type { Counter, Histogram } from '@opentelemetry/api';
import type { Effect } from '../execute/effect.ts';
import { HOLD_REASONS } from '../model/hold-reason.ts';
import type { PassObserver, PassReport } from '../pass/pass-report.ts';
import { type Clock, systemClock } from '../ports/clock.ts';
import { type Logger, silentLogger } from '../ports/logger.ts';
import type { ClusterEvent, EventRecorder } from '../ports/ports.ts';
import { createCounter, createDurationHistogram } from '../telemetry/instruments.ts';
import { ATTR_EFFECT, ATTR_HOLD_REASON, ATTR_STEP, ATTR_STRATEGY } from '../telemetry/semconv.ts';
import { type AttachmentStatus, statusesAfter } from './attachment-status.ts';
import { claimEvent, fieldsOf } from './cluster-events.ts';
import { cleanupKey, FenceReporter } from './fence-reporter.ts';
import { heldIn, untouchedIn } from './held.ts';
import { createReportGauges } from './report-gauges.ts';
import { REPORT_INSTRUMENTS } from './report-instruments.ts';

export interface PassReporterOptions {
  /** Absent: no Events. */
  readonly events?: EventRecorder;
  readonly logger?: Logger;
  /** Ages are measured by it when metrics are read; default: the machine's. */
  readonly clock?: Clock;
}

/**
 * Reports what passes did and what they hold: a log line when something changes, an Event on each occurrence (the recorder counts
 * repetitions), and metrics always. Attachments of ready nodes are not reported.
 */
export class PassReporter implements PassObserver, AsyncDisposable {
  readonly #events: EventRecorder | undefined;
  readonly #logger: Logger;
  readonly #effects: Counter = createCounter(REPORT_INSTRUMENTS.effects);
  readonly #releases: Counter = createCounter(REPORT_INSTRUMENTS.releases);
  readonly #holds: Counter = createCounter(REPORT_INSTRUMENTS.holds);
  readonly #releaseFailures: Counter = createCounter(REPORT_INSTRUMENTS.releaseFailures);
  readonly #releaseDelay: Histogram = createDurationHistogram(REPORT_INSTRUMENTS.releaseDelay);
  readonly #releaseDuration: Histogram = createDurationHistogram(REPORT_INSTRUMENTS.releaseDuration);
  readonly #gauges: readonly Disposable[];
  readonly #fences: FenceReporter;
  /** How the last pass failed, by uid of the attachment or by key of the cleanup. `#failing` is the same for this pass. */
  #failed: ReadonlyMap<string, string> = new Map();
  #failing = new Map<string, string>();
  #latest: PassReport | undefined;
  /** Every stale attachment after that pass, by uid. */
  #statuses: ReadonlyMap<string, AttachmentStatus> = new Map();
  /** When the loss of its node was first seen, by uid of the attachment. Includes attachments that are gone since the last pass. */
  #detectedAtMs = new Map<string, number>();
  /** Events that are being recorded. Only disposal waits for them. */
  readonly #recording = new Set<Promise<void>>();

  constructor({ events, logger = silentLogger, clock = systemClock }: PassReporterOptions) {
    this.#events = events;
    this.#logger = logger;
    this.#fences = new FenceReporter({ logger, record: (event, signal) => this.#record(signal, event) });
    this.#gauges = createReportGauges({
      latest: () => this.#latest,
      statuses: () => this.#statuses.values(),
      nowMs: () => clock.now(),
    });
  }

  /** The pass that ended last; absent before the first. */
  get latest(): PassReport | undefined {
    return this.#latest;
  }

  /** The status of each stale attachment after that pass, by uid of the VolumeAttachment. */
  get statuses(): ReadonlyMap<string, AttachmentStatus> {
    return this.#statuses;
  }

  /** Called when leadership ends. Clears the gauges so that only the leader reports. */
  forget(): void {
    this.#latest = undefined;
    this.#statuses = new Map();
    this.#failed = new Map();
  }

  passed(report: PassReport, signal: AbortSignal): void {
    this.#fences.cutOff(this.#latest, report, signal);
    this.#latest = report;
    if (report.viewDifference !== undefined)
      this.#logger.error('Found a kept view that differed from the caches, which is a bug', {
        difference: report.viewDifference,
        reconcileID: report.reconcileId,
      });
    const before = this.#statuses;
    this.#statuses = statusesAfter(before, report);
    this.#reportHolds(before, report, signal);
    this.#detectedAtMs = new Map([...before].map(([uid, { detectedAtMs }]) => [uid, detectedAtMs]));
    for (const [uid, { detectedAtMs }] of this.#statuses) this.#detectedAtMs.set(uid, detectedAtMs);
    const standing = new Set([...untouchedIn(report).keys(), ...report.cleanups.map(cleanupKey)]);
    this.#failing = new Map([...this.#failed].filter(([key]) => standing.has(key)));
    for (const effect of report.effects) this.#reportEffect(effect, report, signal);
    this.#failed = this.#failing;
  }

  /** Waits for the Events that are being recorded. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const gauge of this.#gauges) gauge[Symbol.dispose]();
    await Promise.all(this.#recording);
  }

  #reportHolds(before: ReadonlyMap<string, AttachmentStatus>, report: PassReport, signal: AbortSignal): void {
    for (const { decision, reason, why } of heldIn(report)) {
      const { uid, nodeName } = decision.attachment;
      const known = before.get(uid)?.hold;
      const message = `Release held (${reason}): node ${nodeName} is lost, but ${HOLD_REASONS[reason]}`;
      this.#record(signal, claimEvent(decision, { type: 'Warning', reason: 'ReleaseHeld', message }));
      if (known?.reason !== reason) this.#holds.add(1, { [ATTR_HOLD_REASON]: reason });
      if (known?.cause === this.#statuses.get(uid)?.hold?.cause) continue;
      this.#logger.warn('Held release', {
        ...fieldsOf(decision),
        reason,
        why,
        reconcileID: report.reconcileId,
      });
    }
  }

  #reportEffect(effect: Effect, { nowMs, reconcileId }: PassReport, signal: AbortSignal): void {
    this.#effects.add(1, { [ATTR_EFFECT]: effect.kind });
    const reconcileID = reconcileId;
    switch (effect.kind) {
      case 'fenced':
        return this.#fences.fenced(effect, reconcileID, signal);
      case 'pod-deleted':
        return this.#reportPod(effect, reconcileID, signal);
      case 'detach-requested':
        return this.#reportRelease(effect, nowMs, reconcileID, signal);
      case 'fell-back':
        this.#logger.warn('Fell back to another detach strategy', {
          ...fieldsOf(effect.decision),
          strategy: effect.strategy,
          reconcileID,
        });
        return;
      case 'detaching':
        this.#logger.debug('Waited for detach', { ...fieldsOf(effect.decision), reconcileID });
        return;
      case 'postponed':
        return; // reported as a hold
      case 'superseded':
        for (const decision of effect.decisions) {
          this.#logger.info('Dropped decision', { ...fieldsOf(decision), why: effect.why, reconcileID });
        }
        return;
      case 'failed':
        return this.#reportFailure(effect, reconcileID);
      case 'unfenced':
      case 'untainted':
      case 'fenced-taint-added':
      case 'fenced-taint-removed':
        return this.#fences.cleanedUp(effect, reconcileID, signal);
      case 'fence-restored':
      case 'restore-failed':
        return this.#fences.restored(effect, reconcileID, signal);
      case 'fence-forgotten':
        return this.#fences.forgotten(effect, reconcileID);
      case 'cleanup-failed':
        return this.#reportCleanupFailure(effect, reconcileID);
    }
  }

  #reportPod(
    { pod, decisions }: Extract<Effect, { kind: 'pod-deleted' }>,
    reconcileID: string,
    signal: AbortSignal,
  ): void {
    const { namespace, name, nodeName, controller } = pod;
    this.#logger.info('Deleted pod', { namespace, pod: name, node: nodeName, controller, reconcileID });
    if (controller) return;
    for (const decision of decisions) {
      const message = `Pod ${name} was deleted from lost node ${nodeName}; it has no controller, so nothing creates it again`;
      this.#record(signal, claimEvent(decision, { type: 'Warning', reason: 'PodNotRescheduled', message }));
    }
  }

  #reportRelease(
    { decision, strategy }: Extract<Effect, { kind: 'detach-requested' }>,
    nowMs: number,
    reconcileID: string,
    signal: AbortSignal,
  ): void {
    const { node, evidence, rule, verdict, attachment } = decision;
    const lostForMs = Math.max(nowMs - node.sinceMs, 0);
    this.#releases.add(1, { [ATTR_STRATEGY]: strategy });
    this.#releaseDelay.record(lostForMs / 1_000, { [ATTR_STRATEGY]: strategy });
    const detectedAtMs = this.#detectedAtMs.get(attachment.uid);
    if (detectedAtMs !== undefined) {
      this.#releaseDuration.record((nowMs - detectedAtMs) / 1_000, { [ATTR_STRATEGY]: strategy });
    }
    const fields = {
      ...fieldsOf(decision),
      strategy,
      rule,
      evidence,
      lostForMs,
      why: verdict.why,
      reconcileID,
    };
    this.#logger.info('Released stale attachment', fields);
    const message = `Released from lost node ${attachment.nodeName} (${strategy}): ${verdict.why}`;
    this.#record(
      signal,
      claimEvent(decision, { type: 'Normal', reason: 'StaleAttachmentReleased', message }),
    );
  }

  /** `warn` for a failure that is new, `debug` for one that is repeated. */
  #failureLevel(key: string, step: string, err: unknown): 'warn' | 'debug' {
    const failure = `${step}: ${err instanceof Error ? err.message : String(err)}`;
    this.#failing.set(key, failure);
    return this.#failed.get(key) === failure ? 'debug' : 'warn';
  }

  #reportFailure({ step, err, decisions }: Extract<Effect, { kind: 'failed' }>, reconcileID: string): void {
    this.#releaseFailures.add(1, { [ATTR_STEP]: step });
    for (const decision of decisions) {
      const level = this.#failureLevel(decision.attachment.uid, step, err);
      this.#logger[level]('Release failed', { ...fieldsOf(decision), step, err, reconcileID });
    }
  }

  #reportCleanupFailure(
    { cleanup, err }: Extract<Effect, { kind: 'cleanup-failed' }>,
    reconcileID: string,
  ): void {
    const level = this.#failureLevel(cleanupKey(cleanup), cleanup.kind, err);
    this.#logger[level]('Cleanup failed', { cleanup, err, reconcileID });
  }

  #record(signal: AbortSignal, event: ClusterEvent | undefined): void {
    if (!event || !this.#events) return;
    const recording = this.#events.record(event, signal).finally(() => this.#recording.delete(recording));
    this.#recording.add(recording);
  }
}
