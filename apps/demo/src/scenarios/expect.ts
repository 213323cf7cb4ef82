import type { Outcome, Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

/** The node things happen to. */
export const VICTIM = 'node-b';

/** How long nothing must happen after a hold, ms. */
export const HELD_MS = 1_000;

/** Longest time a failover may take, ms. */
const FAILOVER_MS = 14_000;

/** Waits until nothing is attached to the victim and every replica runs elsewhere. */
export async function failedOver(stage: Stage): Promise<void> {
  await stage.until(
    `${VICTIM} to be released`,
    FAILOVER_MS,
    () => stage.world.attachedTo(VICTIM).length === 0,
  );
  await stage.until('every replica to run elsewhere', FAILOVER_MS, () => stage.world.isSettled);
  stage.story.tell('story', 'Every replica runs again, on other nodes');
}

/** Both volumes of the victim were released, and nothing else. */
export function releasedAll({ released, held }: Outcome, stage: Stage): readonly string[] {
  const left = stage.world.attachedTo(VICTIM);
  return [
    ...(released === 2 ? [] : [`expected 2 volumes to be released, got ${released}`]),
    ...(held === 0 ? [] : [`expected no volume to be held, got ${held}`]),
    ...(left.length === 0 ? [] : [`${left.join(', ')} is still attached to ${VICTIM}`]),
  ];
}

/** Nothing was released or deleted, and each volume was held for that reason. */
export function heldAll(reason: string, volumes = 2): Scenario['judge'] {
  return ({ released, held }, stage) => {
    const deletes = stage.world.kube.requests.filter(({ method }) => method === 'DELETE');
    const heldFor = stage.logged('Held release', { reason }).length;
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
