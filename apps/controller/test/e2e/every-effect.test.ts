import type { LoggedRequest } from '@reattach/kube-sim';
import { COMPRESSED_TIMES, SimWorld, until, worldFlags } from '@reattach/sim-world';
import { describe, expect, it } from 'vitest';
import { COMPRESSED_FLAGS } from './support/stage.ts';
import { startController } from './support/start-controller.ts';

const LOST = 'node-a';
const WAIT_MS = 300_000;
/** Worlds at a time. */
const AT_ONCE = 3;
/** How many are waited for while the lost node tries to write, too. */
const MORE_WRITES = 100;
const TEST_MS = 300_000;

/** The lost node lives on, cut off from Kubernetes alone: its pods write until the fence, and hold dirty pages after it. */
async function failOver(strategy: string, cutAt: number | undefined) {
  await using world = await SimWorld.start({
    times: COMPRESSED_TIMES,
    nodes: ['node-a', 'node-b', 'node-c'],
  });
  await using files = await world.writeFiles();
  const flags = [
    ...COMPRESSED_FLAGS,
    ...worldFlags(world, files),
    '--mode=fence',
    `--strategy=${strategy}`,
    '--leader-election-enabled=false',
  ];
  await using processes = new AsyncDisposableStack();
  const start = () => processes.use(startController(flags));
  const first = start();
  await until('the world to settle', WAIT_MS, () => world.isSettled);
  await first.ready();

  let kills = 0;
  let restarted: Promise<unknown> = Promise.resolve();
  const effects = countEffects(world, (number) => {
    if (number !== cutAt) return;
    kills++;
    // A run that failed meanwhile can no longer end a successor.
    restarted = first.crash().then(() => (processes.disposed ? undefined : start()));
  });
  const { host } = world.node(LOST);
  world.node(LOST).kubelet.stop();
  host.partition();
  await until('the fail-over', WAIT_MS, () => world.attachedTo(LOST).length === 0 && world.isSettled);
  host.heal(); // dirty pages try to get through
  const { oracle } = world.rds;
  const enough = oracle.totalWrites + MORE_WRITES;
  await until('writes of the other nodes', WAIT_MS, () => oracle.totalWrites >= enough);
  world.powerOff(LOST);
  world.powerOn(LOST);
  await until('the fence to go', WAIT_MS, () => world.rds.device.addressList.entries.length === 0);
  await until('the taints to go', WAIT_MS, () => taintsOf(world).length === 0);
  await restarted;
  return {
    effects: effects.count,
    kills,
    attached: world.attachedTo(LOST),
    doubleWrites: oracle.doubleWrites,
  };
}

function taintsOf(world: SimWorld): readonly string[] {
  return (world.kube.store.get('Node', LOST)?.spec?.taints ?? [])
    .map(({ key }) => key)
    .filter((key) => key.includes('out-of-service') || key.includes('reattach'));
}

/** Numbers what the controller changes at the API server and at the backend, as it arrives there. */
function countEffects(world: SimWorld, onEffect: (number: number) => void): { readonly count: number } {
  const seen = { count: 0 };
  const note = () => onEffect(++seen.count);
  const isNever = (request: LoggedRequest): boolean => {
    if (request.status === undefined && request.method !== 'GET') note();
    return false;
  };
  void world.kube.waitFor(isNever, new AbortController().signal);
  const follow = async (): Promise<never> => {
    for (;;) {
      await world.rds.commands.next(/address-list\/(add|remove)/);
      note();
    }
  };
  void follow();
  return seen;
}

describe.each(['in-use', 'delete', 'out-of-service'])(
  'a controller killed in mode fence, strategy %s',
  (strategy) => {
    it(
      'at any one of its effects ends where one that lives ends, and nothing is written twice',
      async () => {
        const end = { attached: [], doubleWrites: 0 };
        const undisturbed = await failOver(strategy, undefined);
        expect(undisturbed).toMatchObject({ ...end, kills: 0 });
        const cuts = Array.from({ length: undisturbed.effects }, (_, index) => index + 1);
        console.log(`${strategy}: killed at each of ${cuts.length} effects`);
        let deaths = 0;
        for (let from = 0; from < cuts.length; from += AT_ONCE) {
          const some = cuts.slice(from, from + AT_ONCE);
          const results = await Promise.all(some.map((cut) => failOver(strategy, cut)));
          for (const [index, result] of results.entries()) {
            expect(result, `killed at effect ${some[index]}`).toMatchObject(end);
          }
          for (const { kills } of results) deaths += kills;
        }
        // How often an Event is written depends on what runs at the same time.
        expect(deaths).toBeGreaterThan(cuts.length - 3);
      },
      TEST_MS,
    );
  },
);
