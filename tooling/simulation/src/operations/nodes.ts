import type { OperationFamily } from './operation.ts';

const STORAGE_ADDRESSES = 'reattach.srvlab.io/storage-addresses';

/** Node objects: who has which name and address. */
export const NODES: OperationFamily = {
  'node-deleted': {
    weight: 6,
    apply: (world, { node }) => {
      if (world.api.store.get('Node', node)) world.api.store.delete('Node', node);
      return undefined;
    },
  },
  /** A new machine joins under the name of one that runs on somewhere, cut off from the cluster. */
  'node-replaced': {
    weight: 3,
    apply: (world, { node, value }) => {
      const old = world.machine(node);
      old.retire();
      if (value < 0.5) old.cutFromStorage();
      if (world.api.store.get('Node', node)) world.api.store.delete('Node', node);
      world.clock.after(70_000 + Math.floor(value * 80_000), () =>
        world.addMachine({
          nodeName: node,
          addresses: [`10.0.2.${world.machines.length + 11}`],
          alsoReported: [],
          keepAliveTimeoutMs: 5_000,
          ioQueues: 1,
          hasSecondPath: false,
        }),
      );
      return () => old.healNetworks();
    },
  },
  /** The Node is deleted while its machine is well, and the kubelet registers it again. */
  'node-recreated': {
    weight: 3,
    apply: (world, { node }) => {
      if (world.api.store.get('Node', node)) world.api.store.delete('Node', node);
      world.clock.after(2_000, () => {
        const machine = world.machine(node);
        if (machine.isPowered && machine.isKubeletAlive) machine.restartKubelet();
      });
      return undefined;
    },
  },
  /** A kubelet claims the addresses of all other nodes, and falls silent. */
  'addresses-claimed': {
    weight: 2,
    apply: (world, { node }) => {
      const { store } = world.api;
      const claimed = world.machines.map(({ addresses }) => addresses[0]).join();
      if (!store.get('Node', node)) return undefined;
      store.patch('Node', node, { metadata: { annotations: { [STORAGE_ADDRESSES]: claimed } } });
      world.machine(node).stopKubelet();
      return () => {
        if (store.get('Node', node))
          store.patch('Node', node, { metadata: { annotations: { [STORAGE_ADDRESSES]: null } } });
        world.machine(node).startKubelet();
      };
    },
  },
  /** The Node's status loses its addresses as its kubelet dies. */
  'addresses-lost': {
    weight: 2,
    apply: (world, { node }) => {
      const { store } = world.api;
      if (!store.get('Node', node)) return undefined;
      world.machine(node).stopKubelet();
      store.patch('Node', node, { status: { addresses: [{ type: 'Hostname', address: node }] } });
      return () => world.machine(node).startKubelet();
    },
  },
  /** The address of a machine that is off is given to a new one. */
  'address-reused': {
    weight: 3,
    apply: (world, { node }) => {
      const old = world.machine(node);
      if (old.isPowered) old.powerOff();
      world.addMachine({
        nodeName: `node-n${world.machines.length}`,
        addresses: old.addresses,
        alsoReported: [],
        keepAliveTimeoutMs: 5_000,
        ioQueues: 1,
        hasSecondPath: false,
      });
      return undefined;
    },
  },
  /** The machine comes back with another address. */
  'address-moved': {
    weight: 3,
    apply: (world, { node }) => {
      const machine = world.machine(node);
      machine.powerOff();
      machine.powerOn([`10.0.3.${world.machines.length + 11}`]);
      return undefined;
    },
  },
};
