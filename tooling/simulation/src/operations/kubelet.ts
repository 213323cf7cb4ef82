import type { OperationFamily } from './operation.ts';

/** Kubelets, and the networks of machines. */
export const KUBELET: OperationFamily = {
  'kubelet-death': {
    weight: 12,
    apply: (world, { node }) => {
      const machine = world.machine(node);
      machine.stopKubelet();
      return () => machine.startKubelet();
    },
  },
  'node-cut-from-api': {
    weight: 6,
    apply: (world, { node }) => {
      const machine = world.machine(node);
      machine.cutFromApi();
      return () => machine.healNetworks();
    },
  },
  'node-cut-from-storage': {
    weight: 4,
    apply: (world, { node }) => {
      const machine = world.machine(node);
      machine.cutFromStorage();
      return () => machine.healNetworks();
    },
  },
  /** Only one way is cut: what the machine sends, or what it is answered. */
  'node-half-cut-from-storage': {
    weight: 3,
    apply: (world, { node, value }) => {
      const machine = world.machine(node);
      machine.cutFromStorage(value < 0.5 ? 'to-target' : 'to-host');
      return () => machine.healNetworks();
    },
  },
  'node-cut-off': {
    weight: 6,
    apply: (world, { node }) => {
      const machine = world.machine(node);
      machine.cutFromApi();
      machine.cutFromStorage();
      return () => machine.healNetworks();
    },
  },
};
