import { objectAt, textAt } from './json-reader.ts';
import { readObject } from './object-meta.ts';

/** A coordination.k8s.io Lease. */
export interface LeaseFact {
  readonly name: string;
  readonly uid: string;
  readonly holderIdentity?: string;
  /** `spec.renewTime` as text, by the holder's clock: compared for change only, never with our clock. */
  readonly renewTime?: string;
}

/** Projects a Lease. Never throws. @returns `undefined` for anything else. */
export function toLeaseFact(raw: unknown): LeaseFact | undefined {
  const read = readObject(raw, 'Lease');
  if (!read) return undefined;
  const spec = objectAt(read.object, 'spec');
  const holderIdentity = textAt(spec, 'holderIdentity');
  const renewTime = textAt(spec, 'renewTime');
  return {
    name: read.meta.name,
    uid: read.meta.uid,
    ...(holderIdentity !== undefined && { holderIdentity }),
    ...(renewTime !== undefined && { renewTime }),
  };
}
