import {
  type AttachmentView,
  type ClusterView,
  type NodeEvidence,
  type NodeState,
  nodeFactOf,
  type StorageAddress,
  type StorageBackend,
  type StorageNode,
  type StorageReading,
  storageIdentity,
} from '@reattach/core';
import { CliError, usageError } from './cli-error.ts';
import type { StandaloneView } from './standalone-view.ts';

/** A node as one backend sees it, read just now. */
export interface NodeAtBackend {
  readonly backend: StorageBackend;
  readonly reading: StorageReading;
  readonly evidence: NodeEvidence;
  /** Attachments of ours on the node whose volume the backend holds. */
  readonly attachments: readonly AttachmentView[];
}

/** The node with that name. @throws {CliError} when nothing is known of it. */
export function nodeNamed(name: string, { nodes }: ClusterView): NodeState {
  const node = nodes.get(name);
  if (node) return node;
  throw new CliError(
    `Nothing is known of node ${JSON.stringify(name)}: there is no such Node, and nothing is attached to one`,
  );
}

/** Backends that matter: the named one, else those that hold a volume attached to the node, else all. */
export async function nodeAtBackends(
  node: NodeState,
  view: ClusterView,
  { backends, config }: StandaloneView,
  named: string | undefined,
  signal: AbortSignal,
): Promise<readonly NodeAtBackend[]> {
  const known = backends.map(({ name }) => name).join(', ');
  if (named !== undefined && !backends.some(({ name }) => name === named)) {
    throw usageError(`Expected a backend among ${known} after --backend, got ${JSON.stringify(named)}`);
  }
  const held = (backend: StorageBackend) =>
    view.attachments.filter((each) => each.backend === backend && each.attachment.nodeName === node.name);
  const holding = backends.filter((backend) => held(backend).length > 0);
  const chosen =
    named === undefined
      ? holding.length > 0
        ? holding
        : backends
      : backends.filter(({ name }) => name === named);
  return await Promise.all(
    chosen.map(async (backend): Promise<NodeAtBackend> => {
      const attachments = held(backend);
      const volumes = attachments.flatMap(({ volume }) =>
        volume?.volumeHandle === undefined
          ? []
          : [
              {
                volumeHandle: volume.volumeHandle,
                volumeAttributes: volume.volumeAttributes,
                singleWriter: !volume.accessModes.includes('ReadWriteMany'),
              },
            ],
      );
      const all = [...view.nodes.values()].map((each) => asStorageNode(each, view));
      const suspects = all.filter((each) => each.name === node.name).map((each) => ({ ...each, volumes }));
      const peers = all.filter((each) => each.name !== node.name);
      const reading = await backend.observe({ owner: config.policy.attacher, suspects, peers }, signal);
      const evidence = reading.evidence.get(node.name);
      if (!evidence)
        throw new TypeError(`Expected backend ${backend.name} to answer about node ${node.name}`);
      return { backend, reading, evidence, attachments };
    }),
  );
}

/** All addresses by which backends know the node. */
export function storageAddressesOf(node: NodeState, view: ClusterView): readonly StorageAddress[] {
  return asStorageNode(node, view).addresses;
}

function asStorageNode(node: NodeState, { storageNodes }: ClusterView): StorageNode {
  const lost = storageNodes.get(node.name);
  if (lost) return lost;
  const fact = nodeFactOf(node);
  return fact ? storageIdentity(fact) : { name: node.name, addresses: [] };
}
