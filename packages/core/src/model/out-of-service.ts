import type { NodeFact, Taint } from './facts.ts';

/** Kubernetes' own taint for a node that will not come back by itself. @see KEP-2268, Non-graceful node shutdown */
export const OUT_OF_SERVICE_TAINT = 'node.kubernetes.io/out-of-service';

/**
 * Taints by which others say that they are recovering a node: out-of-service by hand or by the controller of another
 * attacher, medik8s, Dell podmon. The value of our own taint is our attacher.
 */
export function isOtherActor({ key, value }: Taint, attacher: string): boolean {
  if (key === OUT_OF_SERVICE_TAINT) return value !== attacher;
  return (
    key.startsWith('medik8s.io/') || key.endsWith('.medik8s.io') || key.endsWith('podmon.storage.dell.com')
  );
}

/** The node carries the out-of-service taint that the controller of this attacher set. */
export function isOutOfServiceByUs({ taints }: NodeFact, attacher: string): boolean {
  return taints.some(({ key, value }) => key === OUT_OF_SERVICE_TAINT && value === attacher);
}
