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

/** Both volumes of the victim were released, and nothing else. */
export function releasedAll({ released, held }: Outcome, run: ScenarioRun): readonly string[] {
  const left = run.world.attachedTo(VICTIM);
  return [
    ...(released === 2 ? [] : [`expected 2 volumes to be released, got ${released}`]),
    ...(held === 0 ? [] : [`expected no volume to be held, got ${held}`]),
    ...(left.length === 0 ? [] : [`${left.join(', ')} is still attached to ${VICTIM}`]),
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
