import { CoreError } from '../model/errors.ts';
import type { PersistentVolumeFact, VolumeAttachmentFact } from '../model/facts.ts';
import { requirePositive } from '../model/require-positive.ts';
import { freezeAttachment, isReadWriteMany, type TrackedAttachment } from '../model/tracked-attachment.ts';
import type { Clock } from '../ports/clock.ts';
import { type Logger, silentLogger } from '../ports/logger.ts';
import type { AttachmentStore } from '../ports/ports.ts';
import { DetachTimes } from './detach-times.ts';
import { KeyedLock } from './keyed-lock.ts';
import { areRebuildFacts, rebuildFacts } from './rebuild-facts.ts';
import { StoreWriter } from './store-writer.ts';
import { trackedFromHolders } from './tracked-from-holders.ts';
import { volumeHolders } from './volume-holders.ts';

export interface AttachmentManagerOptions {
  readonly clock: Clock;
  /** Gets attaches and detaches; never read. Default none. */
  readonly store?: AttachmentStore;
  /** Default silent. */
  readonly logger?: Logger;
  /** How long after a detach a hand-off to another node is allowed, ms. Default 30 000. */
  readonly gracePeriodMs?: number;
  /** How long a live migration may take, ms. Default 300 000. */
  readonly migrationTimeoutMs?: number;
}

export interface TrackOptions {
  /** Access modes of the PersistentVolume; without `ReadWriteMany` there is no second node. */
  readonly accessModes?: readonly string[];
}

export interface MigrationOptions {
  /** How long this live migration may take, ms. Default: the manager's `migrationTimeoutMs`. */
  readonly timeoutMs?: number;
}

/** What removing a node left behind. `last`: nothing. `not-attached`: what was there before. */
export type RemovalResult = 'last' | 'others-left' | 'not-attached';

const DEFAULT_GRACE_PERIOD_MS = 30_000;
const DEFAULT_MIGRATION_TIMEOUT_MS = 300_000;

/**
 * Knows which volume is attached to which node, or to which two during a live migration. Fed either by `rebuild()` from
 * VolumeAttachments, as often as they change, or by the operations of a CSI driver, which rebuilds once, at its start.
 *
 * Invariants: a volume has one or two nodes; operations on one volume run one after the other in the order of the calls,
 * those on different volumes concurrently; reads never wait and see only what an operation has finished; what is handed
 * out never changes; of a volume that is not attached only its detach time is kept, until a detach after its grace.
 */
export class AttachmentManager {
  readonly #clock: Clock;
  readonly #store: StoreWriter;
  readonly #logger: Logger;
  readonly #gracePeriodMs: number;
  readonly #migrationTimeoutMs: number;
  readonly #locks = new KeyedLock();
  readonly #detachTimes: DetachTimes;
  #attachments = new Map<string, TrackedAttachment>();
  /** Volumes with more than two nodes at the last rebuild: warned about once, not at each pass. */
  #crowded = new Set<string>();
  /** Facts the state was rebuilt from, while it is still exactly what they say. */
  #rebuiltFrom: readonly unknown[] = [];
  /** The revision of those facts; absent: it was not given, or the state was changed since. */
  #rebuiltRevision: string | undefined;

  /** @throws {TypeError} without a clock, or naming an option that is out of range. */
  constructor(options: AttachmentManagerOptions) {
    if (!options?.clock) throw new TypeError('AttachmentManager needs clock');
    this.#clock = options.clock;
    this.#logger = options.logger ?? silentLogger;
    this.#store = new StoreWriter(options.store, this.#logger);
    this.#gracePeriodMs = requirePositive('gracePeriodMs', options.gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS);
    this.#migrationTimeoutMs = requirePositive(
      'migrationTimeoutMs',
      options.migrationTimeoutMs ?? DEFAULT_MIGRATION_TIMEOUT_MS,
    );
    this.#detachTimes = new DetachTimes(this.#gracePeriodMs);
  }

  /** Volumes with an operation running or queued; 0 at rest. */
  get lockedVolumes(): number {
    return this.#locks.size;
  }

  getAttachment(volumeHandle: string): TrackedAttachment | undefined {
    return this.#attachments.get(volumeHandle);
  }

  /** A copy of the list, safe to hold while attachments change. */
  attachments(): readonly TrackedAttachment[] {
    return [...this.#attachments.values()];
  }

  /** When a node was last detached from the volume, epoch ms; absent when that is longer ago than the grace. */
  detachedAtMs(volumeHandle: string, nowMs: number = this.#clock.now()): number | undefined {
    return this.#detachTimes.lastMs(volumeHandle, nowMs);
  }

  /** End of the hand-off grace the volume is in, epoch ms; absent when it is in none. */
  handOffUntilMs(volumeHandle: string, nowMs: number = this.#clock.now()): number | undefined {
    const detachedAtMs = this.detachedAtMs(volumeHandle, nowMs);
    return detachedAtMs === undefined ? undefined : detachedAtMs + this.#gracePeriodMs;
  }

  /** A node was detached from the volume so recently that a hand-off may be in progress. */
  isWithinHandOffGrace(volumeHandle: string, nowMs: number = this.#clock.now()): boolean {
    return this.detachedAtMs(volumeHandle, nowMs) !== undefined;
  }

  /**
   * Tracks the volume as attached to the node. Idempotent for a node that holds it already. A node that was detached
   * within the grace, and that a rebuild found again in a VolumeAttachment not yet gone, hands the volume over.
   * @throws {CoreError} `ATTACHMENT_CONFLICT`, not applied, when another node holds the volume.
   * @throws {CoreError} `STORE_FAILED` when the store could not be written: the volume is as it was before; the outcome is
   * the store's (`unknown` when it does not say).
   * @throws `signal.reason` when aborted first; the volume is as it was before.
   */
  async trackAttachment(
    volumeHandle: string,
    nodeName: string,
    options: TrackOptions,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#change(volumeHandle, () => this.#track(volumeHandle, nodeName, options, signal), signal);
  }

  /**
   * Adds the node a ReadWriteMany volume migrates to, and starts the migration. Idempotent for a node that holds the
   * volume already. The store is not written: it names the primary.
   * @throws {CoreError} `NOT_ATTACHED` when no node holds the volume, `ATTACHMENT_CONFLICT` when it is not known to be
   * ReadWriteMany, `MIGRATION_LIMIT` when two other nodes hold it; not applied in all.
   * @throws {TypeError} when `timeoutMs` is not a number above 0.
   * @throws `signal.reason` when aborted while queued.
   */
  async addSecondaryAttachment(
    volumeHandle: string,
    nodeName: string,
    options: MigrationOptions,
    signal: AbortSignal,
  ): Promise<void> {
    const timeoutMs = requirePositive('timeoutMs', options.timeoutMs ?? this.#migrationTimeoutMs);
    await this.#change(volumeHandle, async () => this.#addNode(volumeHandle, nodeName, timeoutMs), signal);
  }

  /**
   * Removes one node. The other one, if any, is then the primary, and the migration is over.
   * @throws `signal.reason` when aborted while queued, or while the store was written: the node is removed all the same.
   */
  async removeNodeAttachment(
    volumeHandle: string,
    nodeName: string,
    signal: AbortSignal,
  ): Promise<RemovalResult> {
    return await this.#change(volumeHandle, () => this.#removeNode(volumeHandle, nodeName, signal), signal);
  }

  /**
   * Forgets the volume with all its nodes. Idempotent.
   * @throws `signal.reason` when aborted while queued, or while the store was cleared: the volume is untracked all the same.
   */
  async untrackAttachment(volumeHandle: string, signal: AbortSignal): Promise<void> {
    await this.#change(
      volumeHandle,
      async () => {
        const attachment = this.#attachments.get(volumeHandle);
        if (attachment) await this.#untrack(attachment, signal);
      },
      signal,
    );
  }

  /**
   * Replaces the state by what VolumeAttachments say: attached, by our attacher, grouped by PersistentVolume, access modes
   * from there. Cheap enough for every pass: linear, and next to nothing when the facts are the very ones of the last. A node that is missing since the last rebuild
   * was detached now. A volume with an operation running or queued stays as it is. The store is not written.
   *
   * Two VolumeAttachments of a ReadWriteMany volume are a migration since the younger one was created (ADR 0008). Two of any other
   * volume do not count as a migration, which would delay a release: both nodes are kept and each is judged on its own. Of more
   * than two the two oldest are kept.
   * @param nowMs epoch ms; default the clock's.
   * @param revision names the state of the facts; when it is that of the last rebuild, nothing is read. Default: compare the facts.
   */
  rebuild(
    volumeAttachments: Iterable<VolumeAttachmentFact>,
    volumeOf: (persistentVolumeName: string) => PersistentVolumeFact | undefined,
    attacher: string,
    nowMs: number = this.#clock.now(),
    revision?: string,
  ): void {
    if (revision !== undefined && revision === this.#rebuiltRevision) return;
    this.#rebuiltRevision = this.#locks.size === 0 ? revision : undefined;
    const all = [...volumeAttachments];
    if (areRebuildFacts(this.#rebuiltFrom, all, volumeOf, attacher)) return;
    this.#rebuiltFrom = this.#locks.size === 0 ? rebuildFacts(all, volumeOf, attacher) : [];
    const attachments = new Map<string, TrackedAttachment>();
    const crowded = new Set<string>();
    for (const [volumeHandle, holders] of volumeHolders(all, volumeOf, attacher)) {
      if (this.#locks.isHeld(volumeHandle)) continue;
      if (holders.attachments.length > 2) crowded.add(volumeHandle);
      const before = this.#attachments.get(volumeHandle);
      attachments.set(
        volumeHandle,
        trackedFromHolders(volumeHandle, holders, before, this.#migrationTimeoutMs),
      );
      for (const { nodeName, createdAtMs } of holders.attachments) {
        this.#detachTimes.forgetIfAttachedAnew(volumeHandle, nodeName, createdAtMs);
      }
    }
    for (const [volumeHandle, before] of this.#attachments) {
      const now = attachments.get(volumeHandle);
      if (now === before) continue;
      if (this.#locks.isHeld(volumeHandle)) {
        attachments.set(volumeHandle, before);
        continue;
      }
      for (const nodeName of before.nodeNames) {
        if (now?.nodeNames.includes(nodeName)) continue;
        this.#detachTimes.record(volumeHandle, nodeName, { atMs: nowMs, origin: 'observed' });
      }
    }
    this.#attachments = attachments;
    this.#warnOfCrowded(crowded);
  }

  /** Runs one operation: whatever comes of it, the state is no longer what a rebuild left. */
  #change<T>(volumeHandle: string, operation: () => Promise<T>, signal: AbortSignal): Promise<T> {
    this.#rebuiltFrom = [];
    this.#rebuiltRevision = undefined;
    return this.#locks.run(volumeHandle, operation, signal);
  }

  async #track(
    volumeHandle: string,
    nodeName: string,
    { accessModes }: TrackOptions,
    signal: AbortSignal,
  ): Promise<void> {
    const held = this.#attachments.get(volumeHandle);
    if (held?.nodeNames.includes(nodeName)) {
      this.#detachTimes.forget(volumeHandle, nodeName);
      return;
    }
    const nowMs = this.#clock.now();
    const holder = held?.nodeNames.find((name) => !this.#detachTimes.wasReported(volumeHandle, name, nowMs));
    if (holder !== undefined) {
      throw new CoreError(
        'ATTACHMENT_CONFLICT',
        'not-applied',
        `volume ${volumeHandle} is attached to node ${holder}, not ${nodeName}`,
      );
    }
    // Written first, so that a write that fails leaves nothing to undo here.
    await this.#store.writeAttached(volumeHandle, nodeName, nowMs, signal);
    this.#set({
      volumeHandle,
      nodeNames: [nodeName],
      ...(accessModes && { accessModes }),
      attachedAtMs: nowMs,
    });
    this.#detachTimes.forget(volumeHandle, nodeName);
    const fields = { volumeHandle, node: nodeName };
    if (held) this.#logger.info('Handed volume over', { ...fields, from: held.nodeNames });
    else this.#logger.debug('Tracked attachment', fields);
  }

  #addNode(volumeHandle: string, nodeName: string, timeoutMs: number): void {
    const held = this.#attachments.get(volumeHandle);
    if (!held) throw new CoreError('NOT_ATTACHED', 'not-applied', `volume ${volumeHandle} is not attached`);
    const [primary, secondary] = held.nodeNames;
    if (nodeName === primary || nodeName === secondary) return;
    if (!isReadWriteMany(held)) {
      throw new CoreError(
        'ATTACHMENT_CONFLICT',
        'not-applied',
        `volume ${volumeHandle} is attached to node ${primary} and not known to be ReadWriteMany`,
      );
    }
    if (secondary !== undefined) {
      throw new CoreError(
        'MIGRATION_LIMIT',
        'not-applied',
        `volume ${volumeHandle} is migrating from node ${primary} to ${secondary}; ${nodeName} would be a third`,
      );
    }
    const migration = { startedAtMs: this.#clock.now(), timeoutMs };
    this.#set({ ...held, nodeNames: [primary, nodeName], migration });
    this.#detachTimes.forget(volumeHandle, nodeName);
    this.#logger.info('Started live migration', { volumeHandle, from: primary, node: nodeName, timeoutMs });
  }

  async #removeNode(volumeHandle: string, nodeName: string, signal: AbortSignal): Promise<RemovalResult> {
    const held = this.#attachments.get(volumeHandle);
    if (!held?.nodeNames.includes(nodeName)) return 'not-attached';
    const left = held.nodeNames.find((name) => name !== nodeName);
    if (left === undefined) {
      await this.#untrack(held, signal);
      return 'last';
    }
    const { migration, ...rest } = held;
    const wasPrimary = nodeName === held.nodeNames[0];
    const attachedAtMs = wasPrimary && migration ? migration.startedAtMs : held.attachedAtMs;
    this.#set({ ...rest, nodeNames: [left], attachedAtMs });
    this.#recordDetached(held, nodeName);
    this.#logger.debug('Removed node from attachment', { volumeHandle, node: nodeName });
    if (wasPrimary) {
      const write = (store: AttachmentStore) => store.setAttached(volumeHandle, left, attachedAtMs, signal);
      await this.#store.update(volumeHandle, write, signal);
    }
    return 'others-left';
  }

  async #untrack(held: TrackedAttachment, signal: AbortSignal): Promise<void> {
    const { volumeHandle, nodeNames } = held;
    this.#attachments.delete(volumeHandle);
    for (const nodeName of nodeNames) this.#recordDetached(held, nodeName);
    this.#logger.debug('Untracked attachment', { volumeHandle, nodes: nodeNames });
    await this.#store.update(volumeHandle, (store) => store.clearAttached(volumeHandle, signal), signal);
  }

  #set(attachment: TrackedAttachment): void {
    this.#attachments.set(attachment.volumeHandle, freezeAttachment(attachment));
  }

  #recordDetached({ volumeHandle }: TrackedAttachment, nodeName: string): void {
    this.#detachTimes.record(volumeHandle, nodeName, { atMs: this.#clock.now(), origin: 'reported' });
  }

  #warnOfCrowded(crowded: Set<string>): void {
    for (const volumeHandle of crowded) {
      if (this.#crowded.has(volumeHandle)) continue;
      const kept = this.#attachments.get(volumeHandle)?.nodeNames;
      this.#logger.warn('Found volume attached to more than two nodes', { volumeHandle, kept });
    }
    this.#crowded = crowded;
  }
}
