import { objectAt, textAt, timeMsAt } from './json-reader.ts';
import { readObject } from './object-meta.ts';

/** A coordination.k8s.io Lease. */
export interface LeaseFact {
  readonly name: string;
  readonly uid: string;
  readonly holderIdentity?: string;
  /** `spec.renewTime`, by the clock of the holder. */
  readonly renewedAtMs?: number;
}

/** Projects a Lease. Never throws. @returns `undefined` for anything else. */
export function toLeaseFact(raw: unknown): LeaseFact | undefined {
  const read = readObject(raw, 'Lease');
  if (!read) return undefined;
  const spec = objectAt(read.object, 'spec');
  const holderIdentity = textAt(spec, 'holderIdentity');
  const renewedAtMs = timeMsAt(spec, 'renewTime');
  return {
    name: read.meta.name,
    uid: read.meta.uid,
    ...(holderIdentity !== undefined && { holderIdentity }),
    ...(renewedAtMs !== undefined && { renewedAtMs }),
  };
}
