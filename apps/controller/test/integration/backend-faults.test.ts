import type { CommandFault, RdsSim } from '@reattach/rds-sim';
import { describe, expect, it } from 'vitest';
import { backendWrites, clusterWrites } from './support/effects.ts';
import { Lab } from './support/lab.ts';

const LOST = 'node-a';
const LOST_ADDRESS = '10.0.0.11';
const FENCE_LIST = 'reattach-fenced';

/** How long a fault lasts that strikes more than once, ms of cluster time: less than a command may take. */
const OUTAGE_MS = 4_000;
/** How long a hold is watched, ms of cluster time. */
const HELD_MS = 4_000;

/** A backend that has been up for longer than any reconnect takes shows by its uptime that it restarted, ms. */
const UP_MS = 20_000;
/** How long a restart takes, ms of cluster time. */
const DOWN_MS = 1_000;

const READ = /print|get/;
const ADD = /address-list\/add/;

type Change = (rds: RdsSim) => Promise<unknown>;

const COMMAND_FAULTS: readonly (readonly [string, CommandFault])[] = [
  ['no answer', { kind: 'hang' }],
  ['no answer, carried out', { kind: 'hang', applied: true }],
  ['a late answer', { kind: 'slow', delayMs: 3_000 }],
  ['a reset in mid-answer', { kind: 'cut', afterBytes: 20 }],
  ['a channel closed in mid-answer', { kind: 'close-channel', afterBytes: 20 }],
  ['truncated values', { kind: 'truncate' }],
  ['a line of the log in between', { kind: 'log-line' }],
  ['garbage', { kind: 'garbage' }],
  ['a refusal', { kind: 'replace', output: 'failure: not enough permissions (9)\r\n' }],
  ['a refusal, carried out', { kind: 'replace', output: 'failure: interrupted\r\n', applied: true }],
  ['another exit status', { kind: 'exit-status', status: 'none' }],
];

const CASES = [
  { command: 'a reading', match: READ },
  { command: 'the fence', match: ADD },
].flatMap(({ command, match }) =>
  COMMAND_FAULTS.flatMap(([name, fault]) =>
    [1, Number.POSITIVE_INFINITY].map((times) => ({
      name: `${command} with ${name}, ${times === 1 ? 'once' : 'for a while'}`,
      match,
      fault,
      times,
    })),
  ),
);

/** The node is cut off, and the backend gives no answer for as long as its queues can be seen closed. */
function isBlindWhileQueuesClose({ match, fault }: (typeof CASES)[number]): boolean {
  return match === ADD && fault.kind === 'hang' && fault.applied === true;
}

/** The node's kubelet dies; its pods write on. */
async function loseKubelet(lab: Lab): Promise<void> {
  lab.world.node(LOST).kubelet.stop();
  await lab.until('Kubernetes to notice', () => !lab.isReady(LOST));
}

function small(): Promise<Lab> {
  return Lab.start({ nodes: [LOST, 'node-b'], volumes: 4 });
}

describe('a backend that fails during a fail-over', () => {
  it.each(CASES.filter((each) => !isBlindWhileQueuesClose(each)))(
    'delays it at most: $name',
    async ({ match, fault, times }) => {
      await using lab = await small();
      const { rds } = lab.world;
      await lab.ready();
      await loseKubelet(lab);
      const rule = rds.faults.onCommand(match, fault, times);
      await lab.until('the fault to strike', () => rule.hits > 0);
      await lab.runFor(OUTAGE_MS);
      rule[Symbol.dispose]();
      await lab.failedOver(LOST);
      expect(rds.oracle.doubleWrites).toBe(0);
      expect(rds.device.addressList.entries.map(({ address }) => address)).toEqual([LOST_ADDRESS]);
    },
  );

  it.each(CASES.filter(isBlindWhileQueuesClose))(
    'releases it only with the proof that writes have ended: $name',
    async ({ match, fault, times }) => {
      await using lab = await small();
      const { rds } = lab.world;
      const controller = await lab.ready();
      await loseKubelet(lab);
      const rule = rds.faults.onCommand(match, fault, times);
      await lab.until('the fault to strike', () => rule.hits > 0);
      await lab.runFor(OUTAGE_MS);
      rule[Symbol.dispose]();
      // Whether a reading caught the closing depends on when the fault struck; a release needs the proof, a hold says that it is missing.
      const isHeld = () =>
        controller.logged('Held release').some(({ fields }) => fields['reason'] === 'quiesce-unproved');
      await lab.until('the hold, or the proof', () => isHeld() || lab.world.attachedTo(LOST).length === 0);
      expect(rds.oracle.doubleWrites).toBe(0);
    },
  );

  it.each<readonly [string, Change, Change]>([
    ['refuses connections', (rds) => rds.faults.down(), (rds) => rds.faults.up()],
    ['drops connections', async (rds) => rds.faults.dropConnections(), async () => undefined],
    [
      'ends sessions after the log-in',
      async (rds) => {
        rds.faults.onConnection({ kind: 'session-limit' }, Number.POSITIVE_INFINITY);
        rds.faults.dropConnections();
      },
      async (rds) => rds.faults.clear(),
    ],
  ])('delays it at most: it %s', async (_name, begin, end) => {
    await using lab = await small();
    const { rds } = lab.world;
    await lab.ready();
    await loseKubelet(lab);
    await begin(rds);
    await lab.runFor(OUTAGE_MS);
    expect(backendWrites(lab.world).length).toBeLessThan(2);
    await end(rds);
    await lab.failedOver(LOST);
    expect(rds.oracle.doubleWrites).toBe(0);
  });
});

describe('a backend that restarts during a fail-over', () => {
  it('before the fence delays it until the node is seen again', async () => {
    await using lab = await small();
    const { rds } = lab.world;
    const controller = await lab.ready();
    await lab.runFor(UP_MS);
    await loseKubelet(lab);
    await rds.faults.reboot(DOWN_MS);
    await lab.failedOver(LOST);
    expect(controller.logged('Storage backend was restarted')).toHaveLength(1);
    expect(rds.oracle.doubleWrites).toBe(0);
  });

  it('after the fence delays it until the fence has been seen in force for long enough', async () => {
    await using lab = await small();
    const { rds } = lab.world;
    const controller = await lab.ready();
    await lab.runFor(UP_MS);
    await loseKubelet(lab);
    await lab.until('the fence', () => controller.logged('Fenced node').length > 0);
    await rds.faults.reboot(DOWN_MS);
    await lab.failedOver(LOST);
    expect(controller.logged('Storage backend was restarted')).toHaveLength(1);
    expect(rds.device.addressList.entries.map(({ address }) => address)).toEqual([LOST_ADDRESS]);
    expect(rds.oracle.doubleWrites).toBe(0);
  });
});

/** What keeps a node from being cut off or judged, and how an operator ends it. */
const OBSTACLES: readonly {
  readonly name: string;
  readonly reason: string;
  readonly why: RegExp;
  readonly begin: (rds: RdsSim) => void;
  readonly end: (rds: RdsSim) => void;
}[] = [
  {
    name: 'tracking is off',
    reason: 'storage-unknown',
    why: /\(not-observable\)/,
    begin: (rds) => rds.run('/ip/firewall/connection/tracking/set enabled=no'),
    end: (rds) => rds.run('/ip/firewall/connection/tracking/set enabled=yes'),
  },
  {
    name: 'the drop rule is disabled',
    reason: 'fence-failed',
    why: /the drop rule is disabled; fix: \/ip\/firewall\/raw\/enable/,
    begin: (rds) => rds.run('/ip/firewall/raw/disable [find]'),
    end: (rds) => rds.run('/ip/firewall/raw/enable [find]'),
  },
  {
    name: 'the drop rule is missing',
    reason: 'fence-failed',
    why: /there is no drop rule for the fence list; fix: \/ip\/firewall\/raw\/add/,
    begin: (rds) => rds.run('/ip/firewall/raw/remove [find]'),
    end: (rds) => rds.device.addDropRule(),
  },
  {
    name: 'the drop rule leaves out the port',
    reason: 'fence-failed',
    why: /leaves out export port 4420/,
    begin: (rds) => rds.run('/ip/firewall/raw/set [find] dst-port=4421'),
    end: (rds) => rds.run('/ip/firewall/raw/set [find] dst-port=4420'),
  },
  {
    name: 'a disabled foreign entry has the address',
    reason: 'fence-failed',
    why: /NOT_FENCED: .*10\.0\.0\.11/,
    begin: (rds) => rds.device.addressList.add({ list: FENCE_LIST, address: LOST_ADDRESS, disabled: true }),
    end: (rds) => rds.run(`/ip/firewall/address-list/remove [find list=${FENCE_LIST}]`),
  },
  {
    name: 'an entry that ends by itself has the address',
    reason: 'fence-failed',
    why: /NOT_FENCED: .*10\.0\.0\.11/,
    begin: (rds) =>
      rds.device.addressList.add({ list: FENCE_LIST, address: LOST_ADDRESS, timeoutMs: 86_400_000 }),
    end: (rds) => rds.run(`/ip/firewall/address-list/remove [find list=${FENCE_LIST}]`),
  },
];

describe('a lost node that cannot be cut off', () => {
  it.each(OBSTACLES)('is held while $name, and released after', async ({ reason, why, begin, end }) => {
    await using lab = await small();
    const { rds } = lab.world;
    const controller = await lab.ready();
    const attached = lab.world.attachedTo(LOST);
    begin(rds);
    await loseKubelet(lab);
    await lab.until('a hold', () => controller.logged('Held release', { reason }).length > 0);
    await lab.runFor(HELD_MS);
    for (const volume of attached) {
      const held = controller.logged('Held release', { persistentVolume: volume, reason });
      expect(held.map(({ fields }) => fields['why'])).toEqual([expect.stringMatching(why)]);
      expect(lab.claimEvents(lab.claimOf(volume))).toEqual(['ReleaseHeld']);
    }
    expect(lab.world.attachedTo(LOST)).toEqual(attached);
    expect(clusterWrites(lab.world)).toEqual([]);

    end(rds);
    await lab.failedOver(LOST);
    expect(rds.oracle.doubleWrites).toBe(0);
  });
});
