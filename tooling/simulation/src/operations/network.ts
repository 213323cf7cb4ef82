import type { Replica } from '../controller/replica.ts';
import type { Link } from '../network/link.ts';
import type { World } from '../world/world.ts';
import { chosen, type Operation, type OperationFamily, type Undo } from './operation.ts';

/** Networks of the controllers. */
export const NETWORK: OperationFamily = {
  'controller-cut-from-api': {
    weight: 4,
    apply: (world, operation) => cut(world, operation, ({ apiLink }) => apiLink),
  },
  'controller-cut-from-storage': {
    weight: 4,
    apply: (world, operation) => cut(world, operation, ({ storageLink }) => storageLink),
  },
  'slow-network': {
    weight: 4,
    apply: (world, operation) => {
      const replica = chosen(world.replicas, operation);
      if (!replica) return undefined;
      const maxMs = 500 + Math.floor(((operation.value * 97) % 1) * 12_000);
      for (const link of [replica.apiLink, replica.storageLink]) link.slowDown({ minMs: 5, maxMs });
      return () => {
        for (const link of [replica.apiLink, replica.storageLink]) link.heal();
      };
    },
  },
};

const DIRECTIONS = ['both', 'both', 'to-server', 'to-client'] as const;

function cut(world: World, operation: Operation, linkOf: (replica: Replica) => Link): Undo | undefined {
  const replica = chosen(world.replicas, operation);
  if (!replica) return undefined;
  const link = linkOf(replica);
  link.block(chosen(DIRECTIONS, { value: (operation.value * 31) % 1 }) ?? 'both');
  return () => link.heal();
}
