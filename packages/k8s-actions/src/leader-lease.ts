import { asObject, type JsonObject, objectAt, readMeta, textAt } from '@reattach/k8s-api';
import { withOwner } from './lease-owner.ts';
import { microTime } from './micro-time.ts';

/** A coordination.k8s.io Lease that says which replica may write. */
export interface LeaderLease {
  /** The object as it was read, so that fields that are not known here survive an update. */
  readonly raw: JsonObject;
  /** Absent after a release. */
  readonly holder?: string;
  /** How long the holder's claim lasts after it was last renewed, ms; absent when the holder did not say. */
  readonly durationMs?: number;
  readonly acquireTime?: string;
  readonly transitions: number;
  /** Changes with every claim and renewal. Compared for equality only: the times in it are the holder's. */
  readonly fingerprint: string;
}

/** A claim to the Lease. */
export interface LeaseClaim {
  readonly identity: string;
  /** Attacher and cluster id of the controller. */
  readonly owner: string;
  readonly durationMs: number;
  readonly nowMs: number;
}

/** Reads a Lease. Never throws. @returns `undefined` for anything else. */
export function readLeaderLease(value: unknown): LeaderLease | undefined {
  const raw = asObject(value);
  if (!raw || raw['kind'] !== 'Lease' || readMeta(raw)?.resourceVersion === undefined) return undefined;
  const spec = objectAt(raw, 'spec');
  const holder = textAt(spec, 'holderIdentity');
  const seconds = spec['leaseDurationSeconds'];
  const acquireTime = textAt(spec, 'acquireTime');
  const transitions = spec['leaseTransitions'];
  return {
    raw,
    ...(holder !== undefined && { holder }),
    ...(typeof seconds === 'number' && seconds > 0 && { durationMs: seconds * 1_000 }),
    ...(acquireTime !== undefined && { acquireTime }),
    transitions: typeof transitions === 'number' ? transitions : 0,
    fingerprint: JSON.stringify([holder, spec['renewTime'], acquireTime, transitions, seconds]),
  };
}

/** The Lease to create when there is none. */
export function newLeaseObject(namespace: string, name: string, claim: LeaseClaim): object {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: withOwner({ namespace, name }, claim.owner),
    spec: claimSpec(claim, undefined),
  };
}

/** The Lease claimed or renewed. Its resourceVersion stays: the update fails when it has changed since it was read. */
export function claimed(lease: LeaderLease, claim: LeaseClaim): object {
  return {
    ...lease.raw,
    metadata: withOwner(objectAt(lease.raw, 'metadata'), claim.owner),
    spec: { ...objectAt(lease.raw, 'spec'), ...claimSpec(claim, lease) },
  };
}

/** The Lease given back: without a holder, any replica may take it at once. */
export function released(lease: LeaderLease, nowMs: number): object {
  const now = microTime(nowMs);
  const spec = { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
  return { ...lease.raw, spec: { ...objectAt(lease.raw, 'spec'), ...spec } };
}

function claimSpec({ identity, durationMs, nowMs }: LeaseClaim, before: LeaderLease | undefined): object {
  const now = microTime(nowMs);
  const isRenewal = before?.holder === identity;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: durationMs / 1_000,
    acquireTime: isRenewal ? (before.acquireTime ?? now) : now,
    renewTime: now,
    leaseTransitions: before === undefined ? 0 : before.transitions + (isRenewal ? 0 : 1),
  };
}
