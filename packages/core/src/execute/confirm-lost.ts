import type { ClusterActions } from '../ports/ports.ts';
import type { LostNode } from '../view/cluster-view.ts';

/**
 * Looks at the API server, past every cache, whether the Node is still as lost as it was when the write was decided.
 * @returns what has changed, in words; `undefined` when nothing has.
 * @see design section 4, last paragraph: before each destructive write a live GET confirms the facts
 */
export async function nodeDrift(
  node: LostNode,
  actions: Pick<ClusterActions, 'getNode' | 'getNodeLeaseRenewTime'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const live = await actions.getNode(node.name, signal);
  if (node.kind === 'gone') return live.kind === 'gone' ? undefined : 'The Node exists again';
  if (live.kind === 'gone') return 'The Node has been deleted since';
  if (live.node.uid !== node.node.uid) return 'The Node has been created anew';
  if (node.kind === 'not-ready') return live.node.ready ? 'The Node is ready again' : undefined;
  const renewTime = await actions.getNodeLeaseRenewTime(node.name, signal);
  return renewTime === node.renewTime ? undefined : 'The kubelet has renewed its Lease';
}
