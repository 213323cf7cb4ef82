import type { Stage } from '../world/stage.ts';
import { REPLAY_MS, type Scenario, VICTIM } from './scenario.ts';

const powerLoss: Scenario = {
  name: 'power-loss',
  title: 'a node loses its power and its volume moves; the node is let back after its next boot',
  async play(stage) {
    stage.story.fault(`The power of ${VICTIM} goes`);
    await stage.cluster.powerOff(VICTIM);
    await stage.failedOver();
    await stage.cluster.powerOn(VICTIM);
    stage.story.tell('fault', `The power of ${VICTIM} is back`);
    await stage.until('the fence to be removed', () => stage.controller.logged('Unfenced node').length > 0);
    await stage.pause(REPLAY_MS);
  },
};

const partition: Scenario = {
  name: 'partition',
  title: 'a node is cut off and comes back with dirty pages; the fence keeps them from the disk',
  async play(stage) {
    stage.story.fault(`${VICTIM} is cut off from the cluster and the target`);
    stage.cluster.controllers.kubelet(VICTIM).stop();
    await stage.machines.network.cut(VICTIM);
    await stage.failedOver();
    await stage.machines.network.heal(VICTIM);
    stage.story.tell('fault', 'The network is back, the cluster is not');
    await stage.pause(REPLAY_MS);
  },
};

const oneWay: Scenario = {
  name: 'one-way',
  title: 'what the target sends to a node is lost, what the node sends arrives',
  async play(stage) {
    stage.story.fault(`Nothing that is sent to ${VICTIM} arrives`);
    stage.cluster.controllers.kubelet(VICTIM).stop();
    await stage.machines.network.cut(VICTIM, ['to']);
    await stage.failedOver();
    await stage.machines.network.heal(VICTIM, ['to']);
    stage.story.tell('fault', 'The network is back, the cluster is not');
    await stage.pause(REPLAY_MS);
  },
};

const fenceUnderLoad: Scenario = {
  name: 'fence-under-load',
  title: 'a kubelet dies while its host goes on writing; the host is fenced first',
  async play(stage) {
    stage.story.fault(`The kubelet of ${VICTIM} dies, its host writes on`);
    stage.cluster.controllers.kubelet(VICTIM).stop();
    await stage.failedOver();
    await stage.pause(REPLAY_MS);
  },
};

/** Waits for the release, then until every delayed write has landed: what was released too early shows as overwrites. */
async function failedOverSlowly(stage: Stage, faultAtMs: number, delayMs: number): Promise<void> {
  await stage.until('the release', () => stage.released.size > 0);
  await stage.pause(Math.max(0, faultAtMs + delayMs + 10_000 - Date.now()));
  await stage.machines.delayWrites(1, 0); // ends what is in progress, so not before
  await stage.failedOver();
  await stage.pause(REPLAY_MS);
}

/** Waits for the hold, then until every delayed write has landed: it must not become a release. */
async function heldSlowly(stage: Stage, faultAtMs: number, delayMs: number): Promise<void> {
  const isHeld = () =>
    stage.controller.logged('Held release').some(({ reason }) => reason === 'quiesce-unproved');
  await stage.until('the hold quiesce-unproved', isHeld);
  await stage.pause(Math.max(0, faultAtMs + delayMs + 10_000 - Date.now()) + REPLAY_MS);
  await stage.machines.delayWrites(1, 0);
}

const slowDisk: Scenario = {
  name: 'slow-disk',
  title: 'writes take 45 s when a host loses its power; the volume moves only after they have ended',
  async play(stage) {
    await stage.machines.delayWrites(1, 45_000);
    await stage.pause(3_000); // writes are accepted and not done
    stage.story.fault(`The power of ${VICTIM} goes with writes in progress`);
    const faultAtMs = Date.now();
    await stage.cluster.powerOff(VICTIM);
    await failedOverSlowly(stage, faultAtMs, 45_000);
  },
};

const reset: Scenario = {
  name: 'reset',
  title:
    'writes take 120 s when a host ends its connections with RST, so that no socket shows them; an RDS cannot prove their end, and holds',
  heldAt: 'rds',
  async play(stage) {
    await stage.machines.delayWrites(1, 120_000);
    await stage.pause(3_000);
    stage.story.fault(`${VICTIM} resets its connections with writes in progress and loses its power`);
    const faultAtMs = Date.now();
    await stage.machines.host(VICTIM).machine.shell.run('ss -K dport = 4420 >/dev/null');
    await stage.cluster.powerOff(VICTIM);
    if (stage.backend === 'rds') await heldSlowly(stage, faultAtMs, 120_000);
    else await failedOverSlowly(stage, faultAtMs, 120_000);
  },
};

const rejoin: Scenario = {
  name: 'rejoin',
  title: 'a node returns without a reboot and stays fenced; after a reboot it is let back and connects',
  async play(stage) {
    stage.story.fault(`${VICTIM} is cut off from the cluster and the target`);
    stage.cluster.controllers.kubelet(VICTIM).stop();
    await stage.machines.network.cut(VICTIM);
    await stage.failedOver();
    await stage.machines.network.heal(VICTIM);
    stage.cluster.controllers.kubelet(VICTIM).start();
    stage.story.tell('fault', `${VICTIM} is Ready again, without a reboot`);
    await stage.pause(REPLAY_MS);
    if (stage.controller.logged('Unfenced node').length > 0)
      throw new Error(`${VICTIM} was let back without a reboot`);
    await stage.cluster.powerOff(VICTIM);
    await stage.cluster.powerOn(VICTIM);
    stage.story.tell('fault', `${VICTIM} was rebooted`);
    await stage.until('the fence to be removed', () => stage.controller.logged('Unfenced node').length > 0);
    const { machine } = stage.machines.host(VICTIM);
    await machine.shell.run(`nvme discover -t tcp -a ${stage.machines.target.address} -s 4420`);
    stage.story.tell('seen', `${VICTIM} reaches the target`);
  },
};

const targetReboot: Scenario = {
  name: 'target-reboot',
  title: 'the target restarts while a fence is in force; the fence is there before the exports are',
  async play(stage) {
    stage.story.fault(`The kubelet of ${VICTIM} dies, its host writes on`);
    stage.cluster.controllers.kubelet(VICTIM).stop();
    await stage.until('the fence', () => stage.controller.logged('Fenced node').length > 0);
    await stage.machines.target.powerOff();
    stage.story.tell('fault', 'The target loses its power');
    await stage.machines.target.start();
    stage.story.tell('fault', 'The target is back');
    await stage.failedOver();
    await stage.pause(REPLAY_MS);
  },
};

const secondPath: Scenario = {
  name: 'second-path',
  title: 'a host reaches its volumes over two addresses; the fence covers both',
  twoPaths: true,
  async play(stage) {
    stage.story.fault(`The kubelet of ${VICTIM} dies, its host writes on over two paths`);
    stage.cluster.controllers.kubelet(VICTIM).stop();
    await stage.failedOver();
    using command = await stage.forcedCommand();
    const left = await command.sockets(stage.machines.host(VICTIM).paths);
    if (left.length > 0) throw new Error(`${VICTIM} has sockets after the release: ${JSON.stringify(left)}`);
    await stage.pause(REPLAY_MS);
  },
};

const withoutFence: Scenario = {
  name: 'without-fence',
  showsOverwrites: true,
  title:
    'as partition, but the fence is taken away before the network heals: shows that the lab sees overwrites',
  async play(stage) {
    stage.story.fault(`${VICTIM} is cut off from the cluster and the target`);
    stage.cluster.controllers.kubelet(VICTIM).stop();
    await stage.machines.network.cut(VICTIM);
    await stage.failedOver();
    await stage.controller[Symbol.asyncDispose](); // it would fence again
    await stage.machines.target.shell.run('nft delete table inet reattach');
    await stage.machines.network.heal(VICTIM);
    stage.story.tell('fault', 'The fence is gone and the network is back');
    await stage.pause(REPLAY_MS);
  },
};

export const SCENARIOS: readonly Scenario[] = [
  powerLoss,
  partition,
  oneWay,
  fenceUnderLoad,
  slowDisk,
  reset,
  rejoin,
  targetReboot,
  secondPath,
  withoutFence,
];
