import type { Counter, Histogram } from '@opentelemetry/api';
import type { Cleanup } from '../decide/cleanups.ts';
import type { Effect, LostDecision } from '../execute/effect.ts';
import { HOLD_REASONS } from '../model/hold-reason.ts';
import type { PassObserver, PassReport } from '../pass/pass-report.ts';
import { type Clock, systemClock } from '../ports/clock.ts';
import { type Logger, silentLogger } from '../ports/logger.ts';
import type { ClusterEvent, EventRecorder } from '../ports/ports.ts';
import {
  createCounter,
  createDurationHistogram,
  createGauge,
  INSTRUMENTS,
} from '../telemetry/instruments.ts';
import { ATTR_EFFECT, ATTR_HOLD_REASON, ATTR_STEP, ATTR_STRATEGY } from '../telemetry/semconv.ts';
import { type AttachmentStatus, statusesAfter } from './attachment-status.ts';
import { heldIn, untouchedIn } from './held.ts';

export interface PassReporterOptions {
  /** Absent: no Events. */
  readonly events?: EventRecorder;
  readonly logger?: Logger;
  /** Ages are measured by it when metrics are read; default: the machine's. */
  readonly clock?: Clock;
}

/**
 * Tells people what passes did and what they refuse to do: logs when something changes, Events on each occurrence (the
 * recorder counts repetitions), metrics always. Attachments of nodes that are fine are not news.
 */
export class PassReporter implements PassObserver, AsyncDisposable {
  readonly #events: EventRecorder | undefined;
  readonly #logger: Logger;
  readonly #effects: Counter = createCounter(INSTRUMENTS.effects);
  readonly #releases: Counter = createCounter(INSTRUMENTS.releases);
  readonly #holds: Counter = createCounter(INSTRUMENTS.holds);
  readonly #releaseFailures: Counter = createCounter(INSTRUMENTS.releaseFailures);
  readonly #releaseDelay: Histogram = createDurationHistogram(INSTRUMENTS.releaseDelay);
  readonly #releaseDuration: Histogram = createDurationHistogram(INSTRUMENTS.releaseDuration);
  readonly #gauges: readonly Disposable[];
  /** What the last pass failed with, by uid of the attachment or by what was to be taken back; `#failing`: what this one does. */
  #failed: ReadonlyMap<string, string> = new Map();
  #failing = new Map<string, string>();
  #latest: PassReport | undefined;
  /** Every stale attachment after that pass, by uid. */
  #statuses: ReadonlyMap<string, AttachmentStatus> = new Map();
  /** When the loss of its node was first seen, by uid of the attachment; also of one that went with the last pass. */
  #detectedAtMs = new Map<string, number>();
  /** Events under way: nobody waits for them but disposal. */
  readonly #recording = new Set<Promise<void>>();

  constructor({ events, logger = silentLogger, clock = systemClock }: PassReporterOptions) {
    this.#events = events;
    this.#logger = logger;
    const ageOf = (sinceMs: number) => Math.max(clock.now() - sinceMs, 0) / 1_000;
    this.#gauges = [
      createGauge(INSTRUMENTS.attachments, () => this.#attachments()),
      createGauge(INSTRUMENTS.staleAttachments, () =>
        countBy([...this.#statuses.values()], ({ state }) => state),
      ),
      createGauge(INSTRUMENTS.staleAge, () =>
        largestBy([...this.#statuses.values()], ({ state, detectedAtMs }) => [state, ageOf(detectedAtMs)]),
      ),
      createGauge(INSTRUMENTS.heldAge, () =>
        largestBy([...this.#statuses.values()], ({ state, heldSinceMs }) =>
          heldSinceMs === undefined ? undefined : [state, ageOf(heldSinceMs)],
        ),
      ),
      createGauge(INSTRUMENTS.fencesPresent, () => countBy(this.#fences(), ({ cleanup }) => cleanup)),
      createGauge(INSTRUMENTS.fenceAge, () =>
        largestBy(this.#fences(), ({ cleanup, fencedAtMs }) => [cleanup, ageOf(fencedAtMs)]),
      ),
    ];
  }

  /** The pass that ended last; absent before the first. */
  get latest(): PassReport | undefined {
    return this.#latest;
  }

  /** How each stale attachment stood after that pass, by uid of the VolumeAttachment. */
  get statuses(): ReadonlyMap<string, AttachmentStatus> {
    return this.#statuses;
  }

  /** Passes end here, elsewhere they may go on: what is stale now is somebody else's to say. */
  forget(): void {
    this.#latest = undefined;
    this.#statuses = new Map();
    this.#failed = new Map();
  }

  passed(report: PassReport, signal: AbortSignal): void {
    this.#latest = report;
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

  /** Waits for the Events under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const gauge of this.#gauges) gauge[Symbol.dispose]();
    await Promise.all(this.#recording);
  }

  #attachments(): ReadonlyMap<string, number> {
    const { decisions = [], healthyCount = 0, attacher } = this.#latest ?? {};
    const ours = decisions.filter(({ attachment }) => attachment.attacher === attacher);
    const counts = countBy(ours, ({ node }) => node.kind);
    return new Map([...counts, ['ready', (counts.get('ready') ?? 0) + healthyCount]]);
  }

  /** Fences a pass could not read are kept: nothing was decided about them. */
  #fences(): readonly { readonly cleanup: Cleanup['kind']; readonly fencedAtMs: number }[] {
    const { fences = [], cleanups = [] } = this.#latest ?? {};
    const unfenced = new Set(
      cleanups.flatMap((each) => (each.kind === 'unfence' ? fenceKey(each.backendName, each.fence.id) : [])),
    );
    return fences.map(({ backendName, fence: { id, fencedAtMs } }) => ({
      cleanup: unfenced.has(fenceKey(backendName, id)) ? 'unfence' : 'keep-fence',
      fencedAtMs,
    }));
  }

  #reportHolds(before: ReadonlyMap<string, AttachmentStatus>, report: PassReport, signal: AbortSignal): void {
    for (const { decision, reason, why } of heldIn(report)) {
      const { uid, nodeName } = decision.attachment;
      const known = before.get(uid)?.hold;
      const message = `Release held (${reason}): node ${nodeName} is lost, but ${HOLD_REASONS[reason]}`;
      this.#record(signal, eventOn(decision, { type: 'Warning', reason: 'ReleaseHeld', message }));
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
      case 'fenced': {
        const [decision] = effect.decisions;
        const { fence, addresses } = effect;
        const backend = decision?.backend?.name;
        this.#logger.info('Fenced node', {
          ...(decision && fieldsOf(decision)),
          backend,
          fence,
          addresses,
          reconcileID,
        });
        this.#record(
          signal,
          nodeEvent(
            fence,
            'NodeFenced',
            `Cut node ${fence.nodeName} off from storage backend ${backend} (fence ${fence.id})`,
          ),
        );
        return;
      }
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
      case 'overtaken':
        for (const decision of effect.decisions) {
          this.#logger.info('Dropped decision', { ...fieldsOf(decision), why: effect.why, reconcileID });
        }
        return;
      case 'failed':
        return this.#reportFailure(effect, reconcileID);
      case 'unfenced':
      case 'untainted':
      case 'fenced-taint-removed':
        return this.#reportCleanup(effect, reconcileID, signal);
      case 'fence-restored':
      case 'restore-failed': {
        const { backendName: backend, fence, why } = effect;
        const err = effect.kind === 'restore-failed' ? effect.err : undefined;
        const isRestored = effect.kind === 'fence-restored';
        const message = isRestored ? 'Restored fence that was removed' : 'Could not restore fence';
        this.#logger.error(message, { node: fence.nodeName, fence, backend, why, err, reconcileID });
        const what = isRestored ? 'was put back' : 'could not be put back; it is tried again';
        const note = `Fence ${fence.id} of node ${fence.nodeName} at storage backend ${backend} was removed or weakened by another party and ${what}. ${why}`;
        this.#record(signal, { ...nodeEvent(fence, 'NodeFenced', note), type: 'Warning' });
        return;
      }
      case 'fence-forgotten':
        this.#logger.info('Forgot fence that was removed', {
          node: effect.fence.nodeName,
          fence: effect.fence,
          backend: effect.backendName,
          reconcileID,
        });
        return;
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
      const message = `Pod ${name} was deleted from lost node ${nodeName}; it has no controller, so nobody will create it again`;
      this.#record(signal, eventOn(decision, { type: 'Warning', reason: 'PodNotRescheduled', message }));
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
    this.#record(signal, eventOn(decision, { type: 'Normal', reason: 'StaleAttachmentReleased', message }));
  }

  /** Each failure once, however often it is repeated. */
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

  #reportCleanup(
    { kind, cleanup }: Extract<Effect, { kind: 'unfenced' | 'untainted' | 'fenced-taint-removed' }>,
    reconcileID: string,
    signal: AbortSignal,
  ): void {
    if ('fence' in cleanup) {
      const { fence, backendName: backend, why } = cleanup;
      this.#logger.info('Unfenced node', { node: fence.nodeName, backend, fence, why, reconcileID });
      this.#record(
        signal,
        nodeEvent(
          fence,
          'NodeUnfenced',
          `Let node ${fence.nodeName} back to storage backend ${backend}: ${why}`,
        ),
      );
      return;
    }
    const message = kind === 'fenced-taint-removed' ? 'Removed fenced taint' : 'Removed out-of-service taint';
    this.#logger.info(message, {
      node: cleanup.node.name,
      why: cleanup.why,
      reconcileID,
    });
  }

  #record(signal: AbortSignal, event: ClusterEvent | undefined): void {
    if (!event || !this.#events) return;
    const recording = this.#events.record(event, signal).finally(() => this.#recording.delete(recording));
    this.#recording.add(recording);
  }
}

function cleanupKey(cleanup: Cleanup): string {
  const what = 'fence' in cleanup ? `${cleanup.backendName} ${cleanup.fence.id}` : cleanup.node.name;
  return `${cleanup.kind} ${what}`;
}

function countBy<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

/** The largest of the values that `entry` gives for each key. */
function largestBy<T>(
  items: readonly T[],
  entry: (item: T) => readonly [key: string, value: number] | undefined,
): ReadonlyMap<string, number> {
  const largest = new Map<string, number>();
  for (const item of items) {
    const [key, value] = entry(item) ?? [];
    if (key !== undefined && value !== undefined) largest.set(key, Math.max(largest.get(key) ?? 0, value));
  }
  return largest;
}

function fenceKey(backendName: string, id: string): string {
  return `${backendName} ${id}`;
}

function fieldsOf({ attachment, volume, node }: LostDecision): Readonly<Record<string, unknown>> {
  const uid = node.kind === 'gone' ? node.lastSeen?.uid : node.node.uid;
  return {
    node: node.name,
    ...(uid !== undefined && { nodeUid: uid }),
    volumeAttachment: attachment.name,
    persistentVolume: attachment.persistentVolumeName,
    ...(volume?.volumeHandle !== undefined && { volumeHandle: volume.volumeHandle }),
  };
}

function nodeEvent(
  {
    nodeName,
    nodeUid,
  }: Extract<Cleanup, { kind: 'unfence' }>['fence'] | Extract<Effect, { kind: 'fenced' }>['fence'],
  reason: 'NodeFenced' | 'NodeUnfenced',
  message: string,
): ClusterEvent {
  const type = reason === 'NodeFenced' ? 'Warning' : 'Normal';
  const regarding = {
    kind: 'Node',
    namespace: '',
    name: nodeName,
    ...(nodeUid !== undefined && { uid: nodeUid }),
  } as const;
  return { type, reason, message, regarding };
}

/** An Event on the claim of the decided volume; nothing where it has none. */
function eventOn({ volume }: LostDecision, event: Omit<ClusterEvent, 'regarding'>): ClusterEvent | undefined {
  const claim = volume?.claim;
  return claim && { ...event, regarding: { kind: 'PersistentVolumeClaim', ...claim } };
}
