/** When a node was detached from a volume, and how we know. */
interface Detachment {
  readonly atMs: number;
  /** `reported`: an operation detached it. `observed`: its VolumeAttachment was no longer there. */
  readonly origin: 'reported' | 'observed';
}

/** Resolution of `metadata.creationTimestamp`, ms. */
const CREATION_RESOLUTION_MS = 1_000;

/**
 * Remembers detaches for as long as they matter, the hand-off grace; older ones are freed at the next detach. A time in the future
 * (the clock was set back) counts as now.
 */
export class DetachTimes {
  readonly #gracePeriodMs: number;
  /** volumeHandle -> nodeName -> detach. Invariant: ordered by the last detach of the volume, so that old ones lead. */
  readonly #volumes = new Map<string, Map<string, Detachment>>();

  constructor(gracePeriodMs: number) {
    this.#gracePeriodMs = gracePeriodMs;
  }

  /** How many volumes are remembered. */
  get size(): number {
    return this.#volumes.size;
  }

  record(volumeHandle: string, nodeName: string, detachment: Detachment): void {
    const nodes = this.#volumes.get(volumeHandle) ?? new Map<string, Detachment>();
    this.#volumes.delete(volumeHandle);
    this.#volumes.set(volumeHandle, nodes.set(nodeName, detachment));
    this.#prune(detachment.atMs);
  }

  /** The node is attached again: its detach is history. */
  forget(volumeHandle: string, nodeName: string): void {
    const nodes = this.#volumes.get(volumeHandle);
    nodes?.delete(nodeName);
    if (nodes?.size === 0) this.#volumes.delete(volumeHandle);
  }

  /** Forgets a detach that a VolumeAttachment created at `createdAtMs` outlives; one that only lags behind does not. */
  forgetIfAttachedAnew(volumeHandle: string, nodeName: string, createdAtMs: number): void {
    const detachment = this.#volumes.get(volumeHandle)?.get(nodeName);
    if (!detachment) return;
    const createdBefore = createdAtMs + CREATION_RESOLUTION_MS <= detachment.atMs;
    if (detachment.origin === 'observed' || !createdBefore) this.forget(volumeHandle, nodeName);
  }

  /** The last detach of the volume within the grace, epoch ms. */
  lastMs(volumeHandle: string, nowMs: number): number | undefined {
    const last = lastOf(this.#volumes.get(volumeHandle));
    return this.#matters(last, nowMs) ? last : undefined;
  }

  /** An operation detached the node within the grace, so it does not prevent an attach to another node. */
  wasReported(volumeHandle: string, nodeName: string, nowMs: number): boolean {
    const detachment = this.#volumes.get(volumeHandle)?.get(nodeName);
    return detachment?.origin === 'reported' && this.#matters(detachment.atMs, nowMs);
  }

  #prune(nowMs: number): void {
    for (const [volumeHandle, nodes] of this.#volumes) {
      if (this.#matters(lastOf(nodes), nowMs)) return;
      this.#volumes.delete(volumeHandle);
    }
  }

  #matters(atMs: number, nowMs: number): boolean {
    return nowMs - atMs < this.#gracePeriodMs;
  }
}

function lastOf(nodes: ReadonlyMap<string, Detachment> = new Map()): number {
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const { atMs } of nodes.values()) lastMs = Math.max(lastMs, atMs);
  return lastMs;
}
