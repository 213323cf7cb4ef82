/** Why nothing was done although the node is lost, and what an operator should know about it. */
export const HOLD_REASONS = {
  'cache-stale': 'our view of the cluster is not current, so nothing can be concluded from it',
  'mass-failure': 'so many nodes are lost at once that the fault may be ours, not theirs',
  'other-actor': 'a taint says that another actor is recovering the node',
  'volume-unknown': 'the volume of the attachment is not known to be ours',
  'storage-unknown': 'the storage backend could not tell whether the node still writes',
  'other-drivers': 'the node has volumes of other drivers, and otherDrivers is hold',
  'dry-run': 'mode is observe; the message says what mode fence would do',
  'address-conflict': 'an address of the node is claimed by another party, which a fence would cut off, too',
  'fence-excluded': 'the node may not be fenced',
  'fence-failed': 'the node could not be cut off from the storage backend',
  'quiesce-unproved': 'the node is cut off, but nothing proves that the writes accepted before have ended',
  'unattributed-session': 'a live session at the storage backend belongs to no known node',
  'sibling-held': 'a pod or fence also concerns another volume that may not be released yet',
  'pod-stays': 'a pod that uses the volume was deleted, and is still, or again, on the node',
  'attacher-stuck': 'the VolumeAttachment is deleted, but external-attacher does not finish',
} as const;

/** Operators see it in Events, metrics and logs. @see HOLD_REASONS */
export type HoldReason = keyof typeof HOLD_REASONS;
