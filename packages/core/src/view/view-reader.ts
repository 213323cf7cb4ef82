import type { CacheRevisions } from '../ports/ports.ts';
import {
  type ClusterScan,
  type NodeState,
  nodeFactOf,
  refreshScan,
  scanCluster,
  type UnreadView,
  type ViewSources,
  viewOf,
} from './cluster-view.ts';

/** A view, and what was wrong with the one that would have been read without an audit. */
export interface ReadView {
  readonly view: UnreadView;
  /** How the kept scan differed from the caches: a bug. Only an audit looks for it. */
  readonly difference?: string;
}

/**
 * Reads the views of passes. While the revisions of the caches stay the same, only lost nodes and their attachments are read.
 * Without revisions, and with early detection, which depends on the age of every Lease, each view reads everything.
 */
export class ViewReader {
  #last: { readonly revision: string; readonly scan: ClusterScan } | undefined;

  /**
   * The view of what a pass may act on.
   * @param revisions of the caches, as they are now; `undefined` while a release has begun: then more than the caches says what is lost
   * @param isAudit read everything, and compare; the caches win
   */
  read(
    sources: ViewSources,
    revisions: CacheRevisions | undefined,
    nowMs: number,
    isAudit: boolean,
  ): ReadView {
    const revision =
      revisions && !sources.policy.earlyDetection.enabled
        ? `${revisions.nodes} ${revisions.volumeAttachments}`
        : undefined;
    const kept =
      revision !== undefined && this.#last?.revision === revision
        ? refreshScan(this.#last.scan, sources, nowMs)
        : undefined;
    const scan = kept && !isAudit ? kept : scanCluster(sources, nowMs, 'affected');
    const difference = kept && isAudit ? scanDifference(kept, scan) : undefined;
    // The kept map of nodes stays when it is right, and with it everything derived from it.
    const current = kept && difference === undefined ? kept : scan;
    this.#last = revision === undefined ? undefined : { revision, scan: current };
    return { view: viewOf(current, sources), difference };
  }
}

/** The first difference between two scans in words; `undefined`: they are equal. */
export function scanDifference(kept: ClusterScan, rebuilt: ClusterScan): string | undefined {
  for (const [name, state] of rebuilt.nodes) {
    const before = kept.nodes.get(name);
    const isSame = before && nodeFactOf(before) === nodeFactOf(state) && sinceOf(before) === sinceOf(state);
    if (before?.kind !== state.kind || !isSame)
      return `node ${name} is ${state.kind} in the caches and ${before?.kind ?? 'missing'} in the kept view`;
  }
  if (kept.nodes.size !== rebuilt.nodes.size)
    return `${rebuilt.nodes.size} nodes are in the caches and ${kept.nodes.size} in the kept view`;
  const affected = new Set(kept.inScope);
  const missing = rebuilt.inScope.find((attachment) => !affected.has(attachment));
  if (missing) return `VolumeAttachment ${missing.name} is missing in the kept view`;
  if (affected.size !== rebuilt.inScope.length || kept.healthyCount !== rebuilt.healthyCount)
    return `${rebuilt.inScope.length} + ${rebuilt.healthyCount} attachments are in the caches and ${affected.size} + ${kept.healthyCount} in the kept view`;
  if (kept.tainted.join() !== rebuilt.tainted.join()) return 'the tainted nodes differ';
  return attachersText(kept) === attachersText(rebuilt) ? undefined : 'the other attachers differ';
}

function sinceOf(state: NodeState): number | undefined {
  return state.kind === 'ready' ? undefined : state.sinceMs;
}

function attachersText({ otherAttachers }: ClusterScan): string {
  return [...otherAttachers]
    .map(([name, attachers]) => `${name} ${[...attachers].toSorted().join()}`)
    .join('\n');
}
