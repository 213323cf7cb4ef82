import type { RecordedFence } from '../storage/storage-product.ts';
import { DRIVER } from '../world/cluster.ts';
import type { Machine } from '../world/machine.ts';
import type { CreateOracle } from './oracle.ts';

/** A machine that was well for so long before its fence was not lost, ms. */
const WELL_BEFORE_MS = 60_000;
/** A mistake must be corrected within this, ms. */
const MISTAKE_BOUND_MS = 60_000;
/** A machine that has booted and is well must be let back within this, ms of calm. */
const RETURN_BOUND_MS = 180_000;
const SAMPLE_MS = 5_000;

/** What was true when an entry was first seen. */
interface Placement {
  readonly atMs: number;
  /** Boots, by machine, of those that had the address and were well. */
  readonly wellBoots: ReadonlyMap<string, string>;
  /** Boots, by machine, of those that had the address. */
  readonly boots: ReadonlyMap<string, string>;
}

/**
 * A healthy node that is fenced for longer than a bound: one that was well when it was fenced, or one that has booted since
 * and shows it.
 */
export const watchFences: CreateOracle = (world, report) => {
  const { clock, storage, machines } = world;
  const placements = new Map<string, Placement>();
  /** Time for which a machine has been well and fenced while nothing kept the controllers from seeing it, ms. */
  const waitingMs = new Map<string, number>();
  const ownersOf = (address: string) => machines.filter((machine) => machine.addresses.includes(address));
  const observe = () => {
    const entries = storage.product.fences.filter(({ isOurs }) => isOurs);
    const keys = new Set(entries.map(keyOf));
    for (const key of placements.keys()) if (!keys.has(key)) placements.delete(key);
    for (const entry of entries) {
      const key = keyOf(entry);
      if (placements.has(key)) continue;
      const owners = ownersOf(entry.address);
      const nowMs = clock.now();
      const isWell = ({ wellSinceMs }: Machine) =>
        wellSinceMs !== undefined && wellSinceMs <= nowMs - WELL_BEFORE_MS;
      placements.set(key, {
        atMs: nowMs,
        wellBoots: new Map(owners.filter(isWell).map((machine) => [machine.id, machine.bootId])),
        boots: new Map(owners.map((machine) => [machine.id, machine.bootId])),
      });
    }
  };
  storage.onCommand(({ isEffect }) => {
    if (isEffect) observe();
  });
  const judge = (key: string, placement: Placement, machine: Machine): void => {
    const name = `${machine.nodeName} (${machine.id}, ${addressOf(key)})`;
    const wasWell = placement.wellBoots.get(machine.id) === machine.bootId;
    if (wasWell && clock.now() - placement.atMs > MISTAKE_BOUND_MS)
      report('wrongly-fenced', `${name} was well when it was fenced`);
    const boot = placement.boots.get(machine.id);
    if (boot === undefined || boot === machine.bootId || !isProvable(world, machine, [...placements])) return;
    const id = `${key} ${machine.bootId}`;
    const waitedMs = (waitingMs.get(id) ?? 0) + (world.isCalm ? SAMPLE_MS : 0);
    waitingMs.set(id, waitedMs);
    if (waitedMs > RETURN_BOUND_MS) report('wrongly-fenced', `${name} has booted and is not let back`);
  };
  return {
    sample() {
      observe();
      for (const [key, placement] of placements) {
        if (!storage.isBlocked(addressOf(key))) continue;
        for (const machine of ownersOf(addressOf(key))) if (machine.isWell) judge(key, placement, machine);
      }
    },
  };
};

function keyOf({ key, address }: RecordedFence): string {
  return `${address} ${key}`;
}

function addressOf(key: string): string {
  return key.split(' ')[0] ?? '';
}

/**
 * Nothing prevents its unfencing: it has all addresses that were fenced for it, no other machine had one of them,
 * and no other actor recovers the node.
 */
function isProvable(
  { api }: Parameters<CreateOracle>[0],
  { nodeName, id, addresses }: Machine,
  placements: readonly (readonly [string, Placement])[],
): boolean {
  const node = api.store.get('Node', nodeName);
  const taints = node?.spec?.taints ?? [];
  const isOthers = taints.some(({ key, value }) => key.endsWith('/out-of-service') && value !== DRIVER);
  const own = placements.filter(([, { boots }]) => boots.has(id));
  const areItsOwn = own.every(([key, { boots }]) => boots.size === 1 && addresses.includes(addressOf(key)));
  return node !== undefined && !isOthers && areItsOwn;
}
