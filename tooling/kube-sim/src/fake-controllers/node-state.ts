import type { NodeCondition, NodeObject, NodeTaint } from '../kube-object.ts';

/** The taint that tells Kubernetes a node is shut down for good (KEP-2268). */
export const OUT_OF_SERVICE_TAINT = 'node.kubernetes.io/out-of-service';

export function readyCondition(node: NodeObject): NodeCondition | undefined {
  return node.status?.conditions?.find(({ type }) => type === 'Ready');
}

/** A Node that is gone is not ready. */
export function isReady(node: NodeObject | undefined): boolean {
  return node !== undefined && readyCondition(node)?.status === 'True';
}

export function taintsOf(node: NodeObject | undefined): readonly NodeTaint[] {
  return node?.spec?.taints ?? [];
}

/** Whether the taint is there, with whatever value and effect. */
export function hasTaint(node: NodeObject | undefined, key: string): boolean {
  return taintsOf(node).some((taint) => taint.key === key);
}

/** The conditions with another Ready condition in place of the old one. */
export function withReady(node: NodeObject, ready: NodeCondition): readonly NodeCondition[] {
  return [...(node.status?.conditions ?? []).filter(({ type }) => type !== 'Ready'), ready];
}
