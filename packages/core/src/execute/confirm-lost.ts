import type { NodeFact } from '../model/facts.ts';
import type { ClusterActions } from '../ports/ports.ts';
import type { LostNode } from '../view/cluster-view.ts';

/** What a live GET says about a node that was decided to be lost. */
export interface LiveLoss {
  /** What has changed since the decision, in words; absent when nothing has. */
  readonly changed?: string;
  /** The Node as it is now; absent when it does not exist. */
  readonly live?: NodeFact;
}

/**
 * Reads from the API server, past every cache, whether the Node is still as lost as it was when the write was decided.
 * @see design section 6: each write follows a live GET
 */
export async function nodeDrift(
  node: LostNode,
  actions: Pick<ClusterActions, 'getNode' | 'getNodeLeaseRenewTime'>,
  signal: AbortSignal,
): Promise<LiveLoss> {
  const result = await actions.getNode(node.name, signal);
  if (node.kind === 'gone') return result.kind === 'gone' ? {} : { changed: 'The Node exists again' };
  if (result.kind === 'gone') return { changed: 'The Node has been deleted since' };
  const live = result.node;
  if (live.uid !== node.node.uid) return { changed: 'The Node has been created again' };
  if (node.kind === 'not-ready') {
    if (live.bootId !== node.node.bootId && node.node.ready) return { changed: 'The node has booted since' };
    return live.ready && !node.node.ready ? { changed: 'The Node is ready again' } : { live };
  }
  const renewTime = await actions.getNodeLeaseRenewTime(node.name, signal);
  return renewTime === node.renewTime ? { live } : { changed: 'The kubelet has renewed its Lease' };
}
