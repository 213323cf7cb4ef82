import type { HoldReason } from '@reattach/core';

/** What a hold means, and where to look first. */
export interface HoldAdvice {
  readonly meaning: string;
  readonly next: string;
}

/** For a person who was just woken up. The compiler sees to it that no reason is left out. */
const HOLD_ADVICE: Readonly<Record<HoldReason, HoldAdvice>> = {
  'cache-stale': {
    meaning: 'the view of the cluster is not current',
    next: 'Look at the API server and the way to it. Nothing is released until the view is current again.',
  },
  'mass-failure': {
    meaning: 'so many nodes are lost at once that the fault may be on this side',
    next: 'Look for a common cause first: storage network, switch, API server, the backend itself.',
  },
  'other-actor': {
    meaning: 'a taint says that somebody else is recovering the node',
    next: 'Find out who set the taint and whether they are still at work; remove it when they are not.',
  },
  'volume-unknown': {
    meaning: 'the volume is not known to be one of ours',
    next: 'Look at the PersistentVolume that the VolumeAttachment names: it is missing or of another driver.',
  },
  'storage-unknown': {
    meaning: 'the backend cannot tell whether the node still writes',
    next: 'See the evidence below for what is missing, and run reattach doctor. To release by hand, make sure first that the node is powered off.',
  },
  'other-drivers': {
    meaning: 'the node also has volumes of other drivers',
    next: 'Recover the node by hand, or set otherDrivers to release-ours.',
  },
  'dry-run': {
    meaning: 'mode observe only watches',
    next: 'Set mode to fence to let Reattach act.',
  },
  'fence-excluded': {
    meaning: 'the node is one that may never be fenced',
    next: 'Power the node off by hand: its labels match fence.neverFence.',
  },
  'fence-failed': {
    meaning: 'the node could not be cut off from the backend',
    next: 'Run reattach doctor: the drop rule, the rights of the user or an address may be missing.',
  },
  'quiesce-unproved': {
    meaning: 'the node is cut off, but nothing proves that the writes accepted before have ended',
    next: 'Make sure that the node is powered off and that the backend has no write in flight, then restart the backend or release by hand; see the runbook.',
  },
  'unattributed-session': {
    meaning: 'a live session at the backend belongs to no known node, and it may be this one',
    next: 'Find the host with the address that is named: add it to its Node with the annotation reattach.srvlab.io/storage-addresses, or disconnect it.',
  },
  'sibling-held': {
    meaning: 'another volume of the same node is held',
    next: 'Solve what holds the other volume of this node; this one follows.',
  },
  'attacher-stuck': {
    meaning: 'external-attacher does not finish the detach',
    next: 'Look at the external-attacher of the CSI driver: it holds the finalizer.',
  },
};

/** A reason that a newer controller gives has no advice here. */
export function adviceOn(reason: string): HoldAdvice | undefined {
  return Object.hasOwn(HOLD_ADVICE, reason) ? HOLD_ADVICE[reason as HoldReason] : undefined;
}
