import type { Operation } from '../operations/operation.ts';

/** `at 12.3 s kubelet-death node-a for 30.0 s (value 0.5)`. */
export function describeOperation({ atMs, kind, node, value, lastsMs }: Operation): string {
  const lasts = lastsMs === undefined ? '' : ` for ${(lastsMs / 1000).toFixed(1)} s`;
  return `at ${(atMs / 1000).toFixed(1)} s ${kind} ${node}${lasts} (value ${value})`;
}
