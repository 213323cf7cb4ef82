import { uniqueVolumeName } from '@reattach/kube-sim';
import { type Cut, type EffectAt, effectsIn, reachEffect } from './effects.ts';
import { type Flags, Lab } from './lab.ts';
import type { RunningController } from './running-controller.ts';
import { WORLD_TIMES } from './times.ts';

/** How the node is lost. */
export interface Loss {
  /** Its Node object is deleted, too. */
  readonly nodeDeleted?: boolean;
  /** Only its kubelet dies: its pods write until they are cut off, and hold dirty pages from then on. */
  readonly writesOn?: boolean;
  /** Kubernetes does not notice: only its Lease and the backend tell. */
  readonly unnoticed?: boolean;
  /** Nothing runs on it but pods of the StatefulSet: once they are gone, none tells its addresses. */
  readonly alone?: boolean;
}

/** Where one controller's life ends. */
export interface Death {
  readonly effect: EffectAt;
  readonly cut: Cut;
}

/** What is left in the end. */
export interface EndState {
  readonly attached: readonly string[];
  readonly pods: readonly string[];
  readonly volumesInUse: readonly string[];
  readonly taints: readonly string[];
  readonly fences: readonly string[];
  readonly doubleWrites: number;
}

/** The result of one life or several. */
export interface CrashResult {
  readonly end: EndState;
  readonly effects: readonly EffectAt[];
  readonly deaths: number;
  /** An operator had to confirm that the machine was off, because no controller had seen its queues close. */
  readonly isConfirmed: boolean;
}

/** What every fail-over of {@link failOver} ends in. */
export const RECOVERED: EndState = {
  attached: [],
  pods: [],
  volumesInUse: [],
  taints: [],
  fences: [],
  doubleWrites: 0,
};

const LOST = 'node-a';

/** Longer than any of this lasts, ms of cluster time. */
const NEVER_MS = 600_000;

/** Longer than the next leader takes, as it is in a real cluster: a Node that died before its leader started has no record. */
const REAL_POD_GC_MS = 40_000;

/** In which the node that is cut off tries to write, ms of cluster time. */
const REPLAY_MS = 500;

/** Long enough for whatever was left undone to be noticed, ms of cluster time. */
const QUIET_MS = 1_500;

/**
 * A node is lost, fails over, comes back and is let back, while controllers die as scripted, one after the other. When one dies it
 * sends nothing more and hears nothing more; the next starts from what is at the backend and in Kubernetes.
 */
export async function failOver(flags: Flags, loss: Loss, deaths: readonly Death[]): Promise<CrashResult> {
  const cluster = {
    ...WORLD_TIMES.cluster,
    ...(loss.unnoticed && { nodeGraceMs: NEVER_MS }),
    ...(loss.alone && { podGcQuarantineMs: REAL_POD_GC_MS }),
  };
  const times = { ...WORLD_TIMES, cluster };
  await using lab = await Lab.start({ nodes: [LOST, 'node-b'], volumes: 4, times });
  const { world } = lab;
  if (loss.alone) world.kube.store.delete('Pod', `agent-${LOST}`, 'default', { gracePeriodSeconds: 0 });
  const lives = new Lives(lab, flags, deaths);
  await lives.begin();
  const { kubelet, host } = world.node(LOST);
  if (loss.writesOn) kubelet.stop();
  else world.powerOff(LOST);
  if (loss.nodeDeleted) world.kube.store.delete('Node', LOST);
  let isConfirmed = false;
  await lives.until('the fail-over', () => {
    // Exactly this hold, and no other one, has the confirmation as its way out.
    if (lives.isUnproved) isConfirmed = lab.confirmOff(LOST) || isConfirmed;
    return world.attachedTo(LOST).length === 0 && lab.isSettled;
  });
  host.partition();
  host.heal(); // it reconnects and replays
  await lives.runFor(REPLAY_MS);
  if (loss.writesOn) world.powerOff(LOST);
  world.powerOn(LOST);
  await lives.until('the node to be let back', () => {
    if (loss.nodeDeleted) declareClean(lab);
    const { taints, fences } = endStateOf(lab);
    return taints.length === 0 && fences.length === 0;
  });
  await lives.runFor(QUIET_MS);
  return { end: endStateOf(lab), effects: effectsIn(world), deaths: lives.deaths, isConfirmed };
}

/** As an operator: the Node has another uid, and what the backend keeps of a fence does not name the machine. */
function declareClean(lab: Lab): void {
  const { kube } = lab.world;
  const ids = lab.fenceIds;
  if (ids.length === 0 || !kube.store.get('Node', LOST)) return;
  kube.store.patch('Node', LOST, {
    metadata: { annotations: { 'reattach.srvlab.io/clean': ids.join(',') } },
  });
}

function endStateOf(lab: Lab): EndState {
  const { world } = lab;
  const { kube, rds, driver } = world;
  const node = kube.store.get('Node', LOST);
  const ours = new Set(rds.device.volumes.map(({ slot }) => uniqueVolumeName(driver, slot)));
  return {
    attached: world.attachedTo(LOST),
    pods: lab.replicasOn(LOST),
    volumesInUse: (node?.status?.volumesInUse ?? []).filter((name) => ours.has(name)),
    taints: (node?.spec?.taints ?? [])
      .map(({ key }) => key)
      .filter((key) => key.includes('out-of-service') || key.includes('reattach')),
    fences: rds.device.addressList.entries.map(({ address }) => address),
    doubleWrites: rds.oracle.doubleWrites,
  };
}

/** One controller after the other. */
class Lives {
  readonly #lab: Lab;
  readonly #flags: Flags;
  readonly #ahead: Death[];
  deaths = 0;
  #current: RunningController | undefined;
  /** Settles once the connections are cut; absent while the current one lives. */
  #cut: Promise<unknown> | undefined;

  constructor(lab: Lab, flags: Flags, deaths: readonly Death[]) {
    this.#lab = lab;
    this.#flags = flags;
    this.#ahead = [...deaths];
  }

  /** The current controller misses nothing but the proof that accepted writes have ended. */
  get isUnproved(): boolean {
    return (this.#current?.logged('Held release', { reason: 'quiesce-unproved' }).length ?? 0) > 0;
  }

  async begin(): Promise<void> {
    this.#current = await this.#lab.ready(this.#flags);
    this.#awaitDeath(this.#current);
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    for (;;) {
      await this.#lab.until(what, () => this.#cut !== undefined || condition());
      if (!this.#cut) return;
      await this.#reincarnate(this.#cut);
    }
  }

  async runFor(ms: number): Promise<void> {
    const endMs = this.#lab.clock.now() + ms;
    await this.until('time to pass', () => this.#lab.clock.now() >= endMs);
  }

  #awaitDeath(controller: RunningController): void {
    const death = this.#ahead.shift();
    if (death) void this.#dieAt(death, controller);
  }

  async #dieAt({ effect, cut }: Death, controller: RunningController): Promise<void> {
    const { kube, rds } = this.#lab.world;
    await reachEffect(this.#lab.world, effect, cut);
    this.deaths += 1;
    this.#cut = Promise.all([kube.faults.refuseConnections(), rds.faults.down()]);
    controller.abort();
  }

  async #reincarnate(cut: Promise<unknown>): Promise<void> {
    const { world } = this.#lab;
    await cut;
    await this.#current?.stop();
    world.kube.faults.clear();
    world.rds.faults.clear();
    await world.kube.faults.acceptConnections();
    await world.rds.faults.up();
    this.#cut = undefined;
    const next = this.#lab.compose(this.#flags);
    this.#current = next;
    this.#awaitDeath(next);
    next.start();
  }
}
