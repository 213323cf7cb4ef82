import {
  type AttachmentView,
  type ClusterView,
  type NodeEvidence,
  type NodeState,
  nodeFactOf,
  type StorageNode,
  type StorageReading,
} from '@reattach/core';
import type { RdsBox } from '@reattach/rds-client';
import { CliError, usageError } from './cli-error.ts';
import type { OneShot } from './one-shot.ts';

/** A node as one box sees it, read just now. */
export interface NodeAtBox {
  readonly box: RdsBox;
  readonly reading: StorageReading;
  readonly evidence: NodeEvidence;
  /** Attachments of ours on the node whose volume the box holds. */
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

/** Boxes that matter: the named one, else those that hold a volume attached to the node, else all. */
export async function nodeAtBoxes(
  node: NodeState,
  view: ClusterView,
  { boxes }: OneShot,
  named: string | undefined,
  signal: AbortSignal,
): Promise<readonly NodeAtBox[]> {
  const known = boxes.map(({ name }) => name).join(', ');
  if (named !== undefined && !boxes.some(({ name }) => name === named)) {
    throw usageError(`Expected a box among ${known} after --box, got ${JSON.stringify(named)}`);
  }
  const held = (box: RdsBox) =>
    view.attachments.filter((each) => each.box === box && each.attachment.nodeName === node.name);
  const holding = boxes.filter((box) => held(box).length > 0);
  const chosen =
    named === undefined ? (holding.length > 0 ? holding : boxes) : boxes.filter(({ name }) => name === named);
  return await Promise.all(
    chosen.map(async (box): Promise<NodeAtBox> => {
      const attachments = held(box);
      const volumes = attachments.flatMap(({ volume }) =>
        volume?.volumeHandle === undefined ? [] : [{ ...volume, volumeHandle: volume.volumeHandle }],
      );
      const all = [...view.nodes.values()].map((each) => asStorageNode(each, view));
      const suspects = all.filter((each) => each.name === node.name);
      const others = all.filter((each) => each.name !== node.name);
      const reading = await box.observe({ suspects, others, volumes }, signal);
      const evidence = reading.evidence.get(node.name);
      if (!evidence) throw new TypeError(`Expected box ${box.name} to answer about node ${node.name}`);
      return { box, reading, evidence, attachments };
    }),
  );
}

/** All addresses by which boxes know the node. */
export function storageAddressesOf(node: NodeState, view: ClusterView): readonly string[] {
  return asStorageNode(node, view).addresses;
}

function asStorageNode(node: NodeState, { storageNodes }: ClusterView): StorageNode {
  const lost = storageNodes.get(node.name);
  if (lost) return lost;
  return { name: node.name, addresses: nodeFactOf(node)?.storageAddresses ?? [], addressesFrom: 'node' };
}
