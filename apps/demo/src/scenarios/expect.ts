import type { Scenario } from '../scenario.ts';
import type { ScenarioRun } from '../scenario-run.ts';
import type { Outcome } from '../summary.ts';

/** The node that fails. */
export const VICTIM = 'node-b';

/** How long a run observes a hold, in which nothing may happen, ms. */
export const HELD_MS = 1_000;

/** Waits until no volume is attached to the victim and every replica runs on another node. */
export async function failedOver(run: ScenarioRun): Promise<void> {
  await run.until(`${VICTIM} to be released`, () => run.world.attachedTo(VICTIM).length === 0);
  await run.until('every replica to run elsewhere', () => run.world.isSettled);
  run.timeline.add('narration', 'Every replica runs again, on other nodes');
}

/** Waits until each of so many volumes is held for that reason, and a moment longer. */
export async function untilHeld(run: ScenarioRun, reason: string, volumes = 2): Promise<void> {
  const held = () => new Set(run.logged('Held release', { reason }).map((line) => line['persistentVolume']));
  await run.until(`${volumes} releases to be held for ${reason}`, () => held().size >= volumes);
  await run.pause(HELD_MS);
}

/** Waits until the drop rule has dropped more packets: a fenced machine has tried to connect again. */
export async function untilDropped(run: ScenarioRun): Promise<void> {
  const before = droppedPackets(run);
  await run.until('the fenced machine to try again', () => droppedPackets(run) > before);
}

/** Packets that the drop rule of the backend has dropped so far. */
function droppedPackets({ world }: ScenarioRun): number {
  return world.rds.device.raw.rules.reduce((sum, { packets }) => sum + packets, 0);
}

/** Both volumes of the victim were released, and nothing else. */
export function releasedAll({ released, held }: Outcome, run: ScenarioRun): readonly string[] {
  const left = run.world.attachedTo(VICTIM);
  return [
    ...releasedVolumes(released, held, 2),
    ...(left.length === 0 ? [] : [`${left.join(', ')} is still attached to ${VICTIM}`]),
  ];
}

export function releasedVolumes(released: number, held: number, volumes: number): readonly string[] {
  return [
    ...(released === volumes ? [] : [`expected ${volumes} volumes to be released, got ${released}`]),
    ...(held === 0 ? [] : [`expected no volume to be held, got ${held}`]),
  ];
}

/** The backend fences exactly these addresses. */
export function fencedAre(run: ScenarioRun, addresses: readonly string[]): readonly string[] {
  const fenced = run.world.rds.device.addressList.entries.map(({ address }) => address).toSorted();
  return fenced.join() === addresses.toSorted().join()
    ? []
    : [
        `expected the backend to fence ${addresses.join(', ') || 'nothing'}, got ${fenced.join(', ') || 'nothing'}`,
      ];
}

/** Nothing was released or deleted, and each volume was held for that reason. */
export function heldAll(reason: string, volumes = 2): Scenario['judge'] {
  return ({ released, held }, run) => {
    const deletes = run.world.kube.requests.filter(({ method }) => method === 'DELETE');
    const heldFor = run.logged('Held release', { reason }).length;
    return [
      ...(released === 0 ? [] : [`expected nothing to be released, got ${released}`]),
      ...(held === volumes ? [] : [`expected ${volumes} volumes to be held, got ${held}`]),
      ...(heldFor >= volumes ? [] : [`expected holds for ${reason}, got ${heldFor}`]),
      ...(deletes.length === 0
        ? []
        : [`expected no delete, got ${deletes.map(({ path }) => path).join(', ')}`]),
    ];
  };
}
