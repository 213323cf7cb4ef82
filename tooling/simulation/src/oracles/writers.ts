import type { CreateOracle } from './oracle.ts';

/** Blocks that an application writes in turn. */
const BLOCKS = 32;

/** Time a controller has to repair fences that somebody else weakened, ms of calm. */
const REPAIR_MS = 45_000;

interface VolumeState {
  /** Who mounted it last. */
  writer: { readonly machine: string; readonly bootId: string } | undefined;
  /** The generation that wrote each block last. */
  readonly blocks: Map<number, number>;
  readonly written: Map<string, number>;
}

/**
 * Two writers: a write of a machine lands after another machine has mounted the volume, be it before the new writer's first
 * write or after. Data is overwritten when such a write hits a block of the new writer.
 */
export const watchWriters: CreateOracle = (world, report) => {
  const volumes = new Map<string, VolumeState>();
  const stateOf = (slot: string): VolumeState => {
    const state = volumes.get(slot) ?? { writer: undefined, blocks: new Map(), written: new Map() };
    volumes.set(slot, state);
    return state;
  };
  /** When a controller last took something away from a Node, epoch ms. */
  const releases = new Map<string, number>();
  world.onRelease((nodeName) => releases.set(nodeName, world.clock.now()));
  world.onMounted((machine, slot) => {
    stateOf(slot).writer = { machine: machine.id, bootId: machine.bootId };
  });
  world.storage.onWrite(({ slot, host, generation }) => {
    const state = stateOf(slot);
    const writes = state.written.get(host) ?? 0;
    state.written.set(host, writes + 1);
    const block = writes % BLOCKS;
    const machine = host.split('~')[0] ?? host;
    const last = state.blocks.get(block) ?? 0;
    const known = world.machines.find(({ id }) => id === machine);
    if (!state.writer || state.writer.machine === machine) {
      state.blocks.set(block, generation);
      return;
    }
    // What Kubernetes or an administrator brought about without us is not ours.
    const releasedAtMs = releases.get(known?.nodeName ?? '');
    if (releasedAtMs === undefined || world.calmSinceTamperingMs < REPAIR_MS) return;
    report('double-write', `${machine} wrote to ${slot} after ${state.writer.machine} had mounted it`);
    if (last > generation)
      report('overwrite', `${machine} overwrote data of ${state.writer.machine} on ${slot}`);
  });
  return {};
};
