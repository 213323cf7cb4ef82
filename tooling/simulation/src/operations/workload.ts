import type { World } from '../world/world.ts';
import { chosen, type Operation, type OperationFamily } from './operation.ts';

const FINALIZER = 'example.test/keep';

/** Pods and virtual machines, and what users do to them. */
export const WORKLOAD: OperationFamily = {
  'pod-deleted': {
    weight: 2,
    apply: (world, operation) => {
      const name = podOn(world, operation);
      if (name) world.api.store.delete('Pod', name, 'default');
      return undefined;
    },
  },
  'pod-force-deleted': {
    weight: 3,
    apply: (world, operation) => {
      const name = podOn(world, operation);
      if (name) world.api.store.delete('Pod', name, 'default', { gracePeriodSeconds: 0 });
      return undefined;
    },
  },
  /** A virtual machine moves; when its node is lost meanwhile, the migration stays as it is. */
  'live-migration': {
    weight: 4,
    apply: ({ virtualMachines, scenario, machines }, operation) => {
      const disk = scenario.volumes.find(({ isDisk }) => isDisk);
      const source = disk && virtualMachines.activePod(disk.slot)?.spec?.nodeName;
      const target = chosen(
        machines.filter(({ isWell, nodeName }) => isWell && nodeName !== source),
        operation,
      );
      if (!disk || source === undefined || !target) return undefined;
      virtualMachines.migrate(disk.slot, target.nodeName);
      return undefined;
    },
  },
  'pod-finalizer': {
    weight: 2,
    apply: (world, operation) => {
      const { api } = world;
      const name = podOn(world, operation);
      if (!name) return undefined;
      api.store.patch('Pod', name, { metadata: { finalizers: [FINALIZER] } }, 'default');
      const { uid } = api.store.get('Pod', name)?.metadata ?? {};
      return () => {
        if (api.store.get('Pod', name)?.metadata.uid === uid)
          api.store.patch('Pod', name, { metadata: { finalizers: null } }, 'default');
      };
    },
  },
};

/** A pod on the node of the operation. */
function podOn({ api }: World, operation: Operation): string | undefined {
  const pods = api.store
    .list('Pod')
    .filter(({ metadata, spec }) => spec?.nodeName === operation.node && !metadata.deletionTimestamp);
  return chosen(pods, operation)?.metadata.name;
}
