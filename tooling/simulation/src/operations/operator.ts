import type { World } from '../world/world.ts';
import { chosen, type OperationFamily } from './operation.ts';

const OUT_OF_SERVICE = {
  key: 'node.kubernetes.io/out-of-service',
  value: 'nodeshutdown',
  effect: 'NoExecute',
};

/** What people do by hand. */
export const OPERATOR: OperationFamily = {
  /** The operator says that a fenced node is clean: only ever one that is. */
  'clean-annotation': {
    weight: 2,
    apply: (world, { node }) => {
      annotateClean(world, node);
      return undefined;
    },
  },
  /** An operator declares an old fence clean: it must prove nothing. */
  'stale-clean-annotation': {
    weight: 2,
    apply: ({ api }, { node }) => {
      if (api.store.get('Node', node))
        api.store.patch('Node', node, {
          metadata: { annotations: { 'reattach.srvlab.io/clean': 'deadbeef' } },
        });
      return undefined;
    },
  },
  /** A machine is shut down for good, and declared out of service by hand. */
  'foreign-out-of-service': {
    weight: 2,
    apply: (world, { node }) => {
      const { api } = world;
      world.machine(node).powerOff();
      const found = api.store.get('Node', node);
      if (!found) return undefined;
      api.store.patch('Node', node, { spec: { taints: [...(found.spec?.taints ?? []), OUT_OF_SERVICE] } });
      return () => removeTaint({ api }, node);
    },
  },
  /** A person fences a node that is lost. */
  'manual-fence': {
    weight: 2,
    apply: (world, { node }) => {
      const { storage } = world;
      const machine = world.machine(node);
      const address = machine.addresses[0] ?? '';
      return machine.isWell || storage.fencedAddresses.has(address)
        ? undefined
        : storage.product.fenceByHand(address);
    },
  },
  'manual-unfence': {
    weight: 1,
    apply: (world, operation) => {
      const { product } = world.storage;
      const fence = chosen(product.fences, operation);
      const owner = world.machines.find(({ addresses }) => addresses.includes(fence?.address ?? ''));
      // An operator who follows the runbook unfences only what is off.
      if (fence && owner && !owner.isPowered) product.removeFence(fence);
      return undefined;
    },
  },
};

/**
 * Annotates the Node with the id of a fence of it, if no machine of that name has a volume of ours mounted.
 * @param turn which of several fences
 */
export function annotateClean({ api, storage, machines }: World, node: string, turn = 0): void {
  const named = machines.filter(({ nodeName }) => nodeName === node);
  if (!api.store.get('Node', node) || named.some(({ workload }) => workload.slots.length > 0)) return;
  const ids = storage.product.fences.flatMap(({ id, nodeName }) =>
    id !== undefined && nodeName === node ? [id] : [],
  );
  const id = ids[turn % ids.length];
  if (id) api.store.patch('Node', node, { metadata: { annotations: { 'reattach.srvlab.io/clean': id } } });
}

function removeTaint({ api }: Pick<World, 'api'>, node: string): void {
  const found = api.store.get('Node', node);
  if (!found) return;
  const taints = (found.spec?.taints ?? []).filter(({ value }) => value !== OUT_OF_SERVICE.value);
  api.store.patch('Node', node, { spec: { taints } });
}
