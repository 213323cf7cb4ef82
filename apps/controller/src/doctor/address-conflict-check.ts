import {
  type AddressPolicy,
  addressConflicts,
  type Mode,
  type NodeFact,
  storageIdentity,
} from '@reattach/core';
import { type Check, gate, ok, someOf } from './check.ts';

const NAME = 'address conflicts';

/** Whether every storage address belongs to exactly one node, by the rule that decisions use. */
export function addressConflictCheck(nodes: readonly NodeFact[], policy: AddressPolicy, mode: Mode): Check {
  const conflictOf = addressConflicts(
    {
      nodes: new Map(nodes.map((node) => [node.name, { kind: 'ready', name: node.name, node }])),
      storageNodes: new Map(
        nodes.map((node) => [node.name, { ...storageIdentity(node), addressesFrom: 'node' }]),
      ),
    },
    policy,
  );
  const conflicts = nodes.flatMap(({ name }) => conflictOf(name) ?? []);
  if (conflicts.length === 0) return ok(NAME, 'Every storage address belongs to one node');
  return gate(mode)(
    NAME,
    `${someOf(conflicts)}: such a node is held, never fenced`,
    'Give each node an address of its own, and correct its annotation reattach.srvlab.io/storage-addresses or storage.allowedCidrs',
  );
}
