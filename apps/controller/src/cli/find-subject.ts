import type { AttachmentState, NodeReport, StateReport } from '@reattach/status-page';
import { usageError } from './cli-error.ts';

/** What a name refers to: attachments of a pod, claim or volume, or a node and all that is attached to it. */
export interface Subject {
  readonly node?: NodeReport;
  readonly attachments: readonly AttachmentState[];
}

type Kind = 'node' | 'pod' | 'pv' | 'pvc';

/** Names of kinds as kubectl takes them. */
const KINDS: Readonly<Record<string, Kind>> = {
  node: 'node',
  nodes: 'node',
  no: 'node',
  pod: 'pod',
  pods: 'pod',
  po: 'pod',
  pv: 'pv',
  persistentvolume: 'pv',
  persistentvolumes: 'pv',
  pvc: 'pvc',
  persistentvolumeclaim: 'pvc',
  persistentvolumeclaims: 'pvc',
};

/**
 * Finds `node/NAME`, `pod/NAME`, `pv/NAME` or `pvc/NAME`; also `namespace/name` of a claim or pod, and a name alone, which may be that of a
 * node, volume, volume handle, VolumeAttachment, claim or pod. @param namespace of claims and pods; absent: any.
 */
export function findSubject(
  given: string,
  { nodes, attachments }: StateReport,
  namespace?: string,
): Subject | undefined {
  const { kind, within = namespace, name } = partsOf(given, namespace);
  const is = (...kinds: readonly Kind[]) => kind === undefined || kinds.includes(kind);
  const isNamed = (object: { readonly namespace: string; readonly name: string } | undefined) =>
    object?.name === name && (within === undefined || object.namespace === within);
  const node = is('node') && within === namespace ? nodes.find((each) => each.name === name) : undefined;
  const found = attachments.filter(
    (each) =>
      (node && each.node === node.name) ||
      (is('pv') && [each.persistentVolume, each.volumeHandle, each.volumeAttachment].includes(name)) ||
      (is('pvc') && isNamed(each.claim)) ||
      (is('pod') && each.pods?.some(isNamed)),
  );
  return node || found.length > 0 ? { node, attachments: found } : undefined;
}

function partsOf(
  given: string,
  namespace: string | undefined,
): { readonly kind?: Kind; readonly within?: string; readonly name: string } {
  const [first = '', second, third, ...more] = given.split('/');
  if (more.length > 0 || given.split('/').includes('')) {
    throw usageError(`Expected KIND/NAME or NAMESPACE/NAME, got ${JSON.stringify(given)}`);
  }
  if (second === undefined) return { name: first };
  const kind = KINDS[first.toLowerCase()];
  if (third !== undefined) {
    if (!kind)
      throw usageError(`Expected pod, pvc, pv or node before the first /, got ${JSON.stringify(first)}`);
    return { kind, within: second, name: third };
  }
  return kind ? { kind, within: namespace, name: second } : { within: first, name: second };
}
