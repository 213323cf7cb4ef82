import assert from 'node:assert/strict';
import { SeededRandom } from '@reattach/core/testing';
import { apiPaths } from '@reattach/k8s-api';
import type { Fault, NodeObject, RequestMatch, WatchFault } from '@reattach/kube-sim';
import { Informer } from '../src/informer.ts';
import { readIdentity, textAt } from '../src/raw-object.ts';
import { flush, KubeWorld } from './kube-world.ts';
import { SequenceChecker } from './sequence-checker.ts';
import { TrackedApi } from './tracked-api.ts';

const STEPS = 40;
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const GROUPS = ['x', 'y', 'z'] as const;
/** Longest time everything may take to heal once faults have stopped, s: a dripping watch goes on until the server ends it. */
const HEAL_SECONDS = 900;

interface Thing {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly group: string;
}

function toThing(raw: unknown): Thing | undefined {
  const identity = readIdentity(raw);
  const group = textAt(raw, 'metadata', 'labels', 'group');
  if (!identity || group === undefined) return undefined; // an object without the label is of no interest
  const { key, uid, resourceVersion = '' } = identity;
  return { name: key, uid, resourceVersion, group };
}

/**
 * One life of an informer: a random script of writes, faults, waits, stops and starts, then peace. Afterwards its cache,
 * its index and the calls of its handlers equal the server's state, and nothing it used is left.
 * @throws {AssertionError} when not.
 */
export async function runChaos(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const world = await KubeWorld.start();
  const { sim, clock } = world;
  const api = new TrackedApi(world.api);
  const run = { restarted: false };
  const checker = new SequenceChecker<Thing>(
    () =>
      run.restarted || world.logger.messages('warn').includes('Accepted a state older than one seen before'),
  );
  const informer = new Informer<Thing>({
    api,
    path: apiPaths.nodes,
    project: toThing,
    indexes: { group: ({ group }) => [group] },
    clock,
    logger: world.logger,
    random: () => random.next(),
    pageSize: 1 + random.integer(0, 3),
    streamingList: random.chance(0.5),
  });
  informer.addHandlers({
    onAdd: () => assert.ok(random.chance(0.8)),
    onUpdate: () => assert.ok(random.chance(0.8)),
    onDelete: () => assert.ok(random.chance(0.8)),
  });
  informer.addHandlers(checker);
  for (const name of NAMES) if (random.chance(0.5)) create(world, random, name);
  informer.start();
  for (let step = 0; step < STEPS; step++) await takeStep(world, random, informer, run);

  sim.faults.clear();
  await sim.faults.acceptConnections();
  informer.start();
  await heal(world, () => describe(informer.values()) === truthOf(world));
  create(world, random, 'last'); // the watch must be alive, too
  await heal(world, () => describe(informer.values()) === truthOf(world));

  assert.equal(describe(checker.world.values()), truthOf(world), 'handlers were called with another state');
  const indexed = GROUPS.flatMap((group) => {
    const bucket = informer.byIndex('group', group);
    assert.ok(bucket.every((thing) => thing.group === group));
    return bucket;
  });
  assert.equal(describe(indexed), truthOf(world), 'the index holds something else');
  assert.deepEqual(checker.violations, []);

  await informer.stop();
  assert.equal(api.underWay, 0, 'a request or watch is left');
  await world[Symbol.asyncDispose]();
  assert.equal(clock.pendingTimers, 0, 'timers are left');
}

async function takeStep(
  world: KubeWorld,
  random: SeededRandom,
  informer: Informer<Thing>,
  run: { restarted: boolean },
): Promise<void> {
  const { sim } = world;
  const dice = random.next();
  if (dice < 0.45) return write(world, random);
  if (dice < 0.6) return flush();
  if (dice < 0.75) return world.advance(random.integer(0, 19_999), 2_000);
  if (dice < 0.85) {
    random.pick([
      () => sim.faults.endWatches(),
      () => sim.faults.dropWatches(),
      () => sim.faults.expireWatches(),
      () => sim.faults.halfOpenWatches(),
      () => sim.compact(),
      () => sim.sendBookmarks(),
    ])();
    return;
  }
  if (dice < 0.95) {
    const match = random.pick<RequestMatch>([{}, { watch: true }, { watch: false }]);
    sim.faults.add(match, randomFault(world, random), 1 + random.integer(0, 1));
    return;
  }
  if (random.chance(0.5)) {
    await sim.faults.refuseConnections();
    await world.advance(random.integer(0, 4999), 1_000);
    await sim.faults.acceptConnections();
    return;
  }
  run.restarted = true; // and so knows no versions: a stale list may make it older
  const stopped = informer.stop();
  if (random.chance(0.5)) await stopped;
  informer.start();
}

function randomFault({ sim }: KubeWorld, random: SeededRandom): Fault {
  const oldest = sim.store.compactedTo;
  const resourceVersion = oldest + random.integer(0, sim.store.resourceVersion - oldest);
  const effect = random.pick<WatchFault['effect']>([
    'end',
    'reset',
    'expired',
    'malformed',
    'half-open',
    'duplicate',
    'old-bookmark',
    'drip',
  ]);
  return random.pick<Fault>([
    { kind: 'status', status: random.pick([401, 403, 404, 500, 503]) },
    { kind: 'status', status: 410, reason: 'Expired' },
    { kind: 'delay', delayMs: random.integer(0, 4999) },
    { kind: 'hang' },
    { kind: 'reset' },
    { kind: 'malformed' },
    { kind: 'stale', resourceVersion },
    { kind: 'stale', behind: 1 + random.integer(0, 4) },
    { kind: 'throttle', retryAfterSeconds: random.integer(0, 9) },
    { kind: 'watch', effect, afterEvents: random.integer(0, 3) },
    { kind: 'watch', effect, afterEvents: random.integer(0, 3) },
  ]);
}

function write(world: KubeWorld, random: SeededRandom): void {
  const { store } = world.sim;
  const name = random.pick(NAMES);
  if (!store.get('Node', name)) {
    create(world, random, name);
    return;
  }
  if (random.chance(0.5)) {
    const group = random.chance(0.1) ? null : random.pick(GROUPS);
    store.patch('Node', name, { metadata: { labels: { group, turn: String(random.integer(0, 999)) } } });
    return;
  }
  store.delete('Node', name);
  if (random.chance(0.3)) create(world, random, name);
}

function create({ sim }: KubeWorld, random: SeededRandom, name: string): void {
  sim.store.create({ kind: 'Node', metadata: { name, labels: { group: random.pick(GROUPS) } } });
}

async function heal(world: KubeWorld, healed: () => boolean): Promise<void> {
  for (let second = 0; second < HEAL_SECONDS; second++) {
    await flush();
    if (healed()) return;
    await world.clock.advance(1_000);
  }
  assert.fail(`The cache did not become equal to the server within ${HEAL_SECONDS} s`);
}

function truthOf({ sim }: KubeWorld): string {
  return describe(sim.store.list('Node').flatMap((node: NodeObject) => toThing(node) ?? []));
}

function describe(things: Iterable<Thing>): string {
  return [...things]
    .map(({ name, uid, resourceVersion, group }) => [name, uid, resourceVersion, group].join(' '))
    .toSorted()
    .join('\n');
}
