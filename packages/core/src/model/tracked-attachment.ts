/** A live migration: two nodes hold the volume. */
export interface Migration {
  readonly startedAtMs: number;
  /** How long it may take; when that has passed, it no longer protects its nodes. */
  readonly timeoutMs: number;
}

/** Which node, or nodes, a volume is attached to. A frozen snapshot: later changes make new ones. */
export interface TrackedAttachment {
  readonly volumeHandle: string;
  /** The primary, which has held the volume longer, first. */
  readonly nodeNames: readonly [string] | readonly [string, string];
  /** Access modes of the PersistentVolume; absent when the caller that tracked the volume did not name them. */
  readonly accessModes?: readonly string[];
  /** Since when the primary has held the volume, epoch ms. */
  readonly attachedAtMs: number;
  /** Only a ReadWriteMany volume with two nodes is in one. */
  readonly migration?: Migration;
}

/** More than one node may write, which is what a live migration needs. Unknown modes say no. */
export function isReadWriteMany({ accessModes }: Pick<TrackedAttachment, 'accessModes'>): boolean {
  return accessModes?.includes('ReadWriteMany') ?? false;
}

/** Freezes the attachment. `accessModes` may belong to the caller, so they are copied first. */
export function freezeAttachment(attachment: TrackedAttachment): TrackedAttachment {
  Object.freeze(attachment.nodeNames);
  if (attachment.migration) Object.freeze(attachment.migration);
  if (!attachment.accessModes || Object.isFrozen(attachment.accessModes)) return Object.freeze(attachment);
  return Object.freeze({ ...attachment, accessModes: Object.freeze([...attachment.accessModes]) });
}
