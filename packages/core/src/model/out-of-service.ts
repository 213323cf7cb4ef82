import type { NodeFact, Taint } from './facts.ts';

/** Kubernetes' own taint for a node that will not come back by itself. @see KEP-2268, Non-graceful node shutdown */
export const OUT_OF_SERVICE_TAINT = 'node.kubernetes.io/out-of-service';

/** The value by which we know our own taint. */
export const OUT_OF_SERVICE_VALUE = 'reattach';

/** Taints by which others say that they are recovering a node: out-of-service by hand, medik8s, Dell podmon. */
export function isOtherActor({ key, value }: Taint): boolean {
  if (key === OUT_OF_SERVICE_TAINT) return value !== OUT_OF_SERVICE_VALUE;
  return (
    key.startsWith('medik8s.io/') || key.endsWith('.medik8s.io') || key.endsWith('podmon.storage.dell.com')
  );
}

/** The node carries the out-of-service taint that we set. */
export function isOutOfServiceByUs({ taints }: NodeFact): boolean {
  return taints.some(({ key, value }) => key === OUT_OF_SERVICE_TAINT && value === OUT_OF_SERVICE_VALUE);
}
