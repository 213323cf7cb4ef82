import type { Cleanup } from '../decide/cleanups.ts';
import type { PassReport } from '../pass/pass-report.ts';
import { createGauge } from '../telemetry/instruments.ts';
import type { AttachmentStatus } from './attachment-status.ts';
import { REPORT_INSTRUMENTS } from './report-instruments.ts';

/** What the gauges read at each collection. */
export interface GaugeSources {
  /** The last pass; absent where no passes run. */
  readonly latest: () => PassReport | undefined;
  readonly statuses: () => Iterable<AttachmentStatus>;
  /** Epoch ms; ages are measured up to here. */
  readonly nowMs: () => number;
}

/** Gauges of attachments, holds and fences. Dispose of each. */
export function createReportGauges({ latest, statuses, nowMs }: GaugeSources): readonly Disposable[] {
  const ageOf = (sinceMs: number) => Math.max(nowMs() - sinceMs, 0) / 1_000;
  const { attachments, staleAttachments, staleAge, heldAge, fencesPresent, fenceAge, cutOffNodes } =
    REPORT_INSTRUMENTS;
  return [
    createGauge(attachments, () => attachmentsByNodeState(latest())),
    createGauge(staleAttachments, () => countBy(statuses(), ({ state }) => state)),
    createGauge(staleAge, () =>
      largestBy(statuses(), ({ state, detectedAtMs }) => [state, ageOf(detectedAtMs)]),
    ),
    createGauge(heldAge, () =>
      largestBy(statuses(), ({ state, heldSinceMs }) =>
        heldSinceMs === undefined ? undefined : [state, ageOf(heldSinceMs)],
      ),
    ),
    createGauge(fencesPresent, () => countBy(fencesIn(latest()), ({ cleanup }) => cleanup)),
    createGauge(fenceAge, () =>
      largestBy(fencesIn(latest()), ({ cleanup, fencedAtMs }) => [cleanup, ageOf(fencedAtMs)]),
    ),
    createGauge(cutOffNodes, () => new Map([['ready', cutOffCount(latest())]])),
  ];
}

/** How many nodes the fences of other nodes cut off. */
function cutOffCount(report: PassReport | undefined): number {
  const cutOff = (report?.cleanups ?? []).flatMap((each) =>
    each.kind === 'keep-fence' ? (each.cutsOff ?? []) : [],
  );
  return new Set(cutOff.map(({ uid }) => uid)).size;
}

function attachmentsByNodeState(report: PassReport | undefined): ReadonlyMap<string, number> {
  const { decisions = [], healthyCount = 0 } = report ?? {};
  const counts = countBy(decisions, ({ node }) => node.kind);
  return new Map([...counts, ['ready', (counts.get('ready') ?? 0) + healthyCount]]);
}

interface FenceAge {
  readonly cleanup: Cleanup['kind'];
  readonly fencedAtMs: number;
}

/** Fences that a pass could not read count as kept, because no decision exists about them. */
function fencesIn(report: PassReport | undefined): readonly FenceAge[] {
  const { fences = [], cleanups = [] } = report ?? {};
  const unfenced = new Set(
    cleanups.flatMap((each) => (each.kind === 'unfence' ? fenceKey(each.backendName, each.fence.id) : [])),
  );
  return fences.map(({ backendName, fence: { id, fencedAtMs } }) => ({
    cleanup: unfenced.has(fenceKey(backendName, id)) ? 'unfence' : 'keep-fence',
    fencedAtMs,
  }));
}

function fenceKey(backendName: string, id: string): string {
  return `${backendName} ${id}`;
}

function countBy<T>(items: Iterable<T>, key: (item: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

/** The largest of the values that `entry` gives for each key. */
function largestBy<T>(
  items: Iterable<T>,
  entry: (item: T) => readonly [key: string, value: number] | undefined,
): ReadonlyMap<string, number> {
  const largest = new Map<string, number>();
  for (const item of items) {
    const [key, value] = entry(item) ?? [];
    if (key !== undefined && value !== undefined) largest.set(key, Math.max(largest.get(key) ?? 0, value));
  }
  return largest;
}
