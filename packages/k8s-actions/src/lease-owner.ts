import { type JsonObject, objectAt, textAt } from '@reattach/k8s-api';
import { K8sActionsError } from './k8s-actions-error.ts';

/** Annotation that says whose Lease it is: attacher and cluster id of the controller that created it. */
const OWNER = 'reattach.srvlab.io/owner';

/**
 * A Lease without an owner may be used by anyone, so that one can be created by hand.
 * @throws {K8sActionsError} `FOREIGN_OWNER` when the Lease belongs to another attacher or cluster
 */
export function requireOwner(lease: JsonObject, owner: string): void {
  const metadata = objectAt(lease, 'metadata');
  const found = textAt(objectAt(metadata, 'annotations'), OWNER);
  if (found === undefined || found === owner) return;
  throw new K8sActionsError(
    'FOREIGN_OWNER',
    'not-applied',
    `Lease ${textAt(metadata, 'namespace')}/${textAt(metadata, 'name')} belongs to "${found}", this controller is "${owner}": configure another Lease name or namespace, or delete the Lease if its owner is gone`,
  );
}

/** @returns the metadata with this owner. */
export function withOwner(metadata: JsonObject, owner: string): JsonObject {
  return { ...metadata, annotations: { ...objectAt(metadata, 'annotations'), [OWNER]: owner } };
}
