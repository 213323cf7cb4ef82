import type { Undo } from '../operations/operation.ts';
import { annotateClean } from '../operations/operator.ts';
import type { World } from '../world/world.ts';

/** Time between two rounds of an operator, ms. */
const ROUND_MS = 90_000;
const ROUNDS = 4;
/** In this round the backend is restarted if a machine that is off still holds volumes. */
const RESTART_ROUND = 2;
const RESTART_MS = 5_000;

/**
 * Ends everything that was done to the world: networks, servers and clocks work again, at most one machine stays off, and an
 * operator does what the runbook says. What is left must get well by itself.
 */
export function repairAll(world: World, undos: readonly Undo[]): void {
  const { api, storage, virtualMachines, replicas, machines, cluster, clock } = world;
  for (const undo of undos.toReversed()) undo();
  api.start();
  api.clearFaults();
  virtualMachines.failMigrations();
  for (const watch of api.watches) watch.thaw();
  storage.boot();
  storage.isSilent = false;
  storage.device.writeServiceMs = 0;
  cluster.controllerClockOffsetMs = 0;
  storage.product.repair();
  for (const replica of replicas) {
    replica.apiLink.heal();
    replica.storageLink.heal();
    replica.resume();
    if (replica.hasEnded) replica.start();
  }
  let off = 0;
  for (const machine of machines) {
    if (machine.isRetired) machine.powerOff();
    else if (machine.isPowered) {
      machine.unhang();
      machine.healNetworks();
      if (api.store.get('Node', machine.nodeName)) machine.startKubelet();
      else machine.restartKubelet();
    } else {
      off += 1;
      const isTaken = machines.some(
        (other) =>
          other !== machine &&
          !other.isRetired &&
          other.addresses.some((address) => machine.addresses.includes(address)),
      );
      if (off > 1 || isTaken)
        machine.powerOn(isTaken ? [`10.0.4.${machines.indexOf(machine) + 11}`] : machine.addresses);
    }
  }
  for (let round = 1; round <= ROUNDS; round++) clock.after(round * ROUND_MS, () => operate(world, round));
}

/** The way out of a hold because nothing shows that the last writes of a dead machine have ended. */
function isHeldByMachineThatIsOff(world: World): boolean {
  return world.machines.some(
    ({ isPowered, isRetired, nodeName }) => !isPowered && !isRetired && world.slotsAt(nodeName).length > 0,
  );
}

/** One round of an operator: nodes that are up and still fenced are rebooted, and then declared clean. */
function operate(world: World, round: number): void {
  const { machines, storage, nodeNames } = world;
  for (const machine of machines) {
    const isFenced = machine.addresses.some((address) => storage.isBlocked(address));
    if (isFenced && machine.isPowered && !machine.isRetired && machine.workload.slots.length > 0)
      machine.powerOn();
  }
  for (const nodeName of nodeNames) annotateClean(world, nodeName, round);
  if (round === RESTART_ROUND && isHeldByMachineThatIsOff(world)) {
    storage.stop();
    world.clock.after(RESTART_MS, () => storage.boot());
  }
}
