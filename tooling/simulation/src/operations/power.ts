import type { World } from '../world/world.ts';
import type { Operation, OperationFamily } from './operation.ts';

/** Power and kernel of machines. */
export const POWER: OperationFamily = {
  'power-loss': {
    weight: 10,
    apply: (world, { node }) => {
      const machine = world.machine(node);
      if (!machine.isPowered) return undefined;
      machine.powerOff();
      return () => {
        if (!machine.isPowered) machine.powerOn();
      };
    },
  },
  reboot: {
    weight: 5,
    apply: (world, { node }) => {
      const machine = world.machine(node);
      if (machine.isPowered) machine.powerOn();
      return undefined;
    },
  },
  'kernel-hang': {
    weight: 5,
    apply: (world, { node }) => {
      const machine = world.machine(node);
      machine.hang();
      return () => machine.unhang();
    },
  },
  'mass-power-loss': {
    weight: 2,
    apply: (world, operation) => {
      const lost = affected(world, operation).filter(({ isPowered }) => isPowered);
      for (const machine of lost) machine.powerOff();
      return () => {
        for (const machine of lost) if (!machine.isPowered) machine.powerOn();
      };
    },
  },
};

/** Two machines or more, from the named one on. */
function affected(world: World, { node, value }: Operation): readonly ReturnType<World['machine']>[] {
  const names = world.nodeNames;
  const first = Math.max(names.indexOf(node), 0);
  const count = 2 + Math.floor(value * (names.length - 1));
  return Array.from({ length: count }, (_, index) =>
    world.machine(names[(first + index) % names.length] ?? node),
  );
}
