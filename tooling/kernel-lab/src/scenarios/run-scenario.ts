import { messageOf } from '../message-of.ts';
import type { BackendKind } from '../world/lab-backend.ts';
import { Stage } from '../world/stage.ts';
import type { Story, Summary } from '../world/story.ts';
import type { Scenario } from './scenario.ts';

/** Plays one scenario and judges it. Never rejects: whatever goes wrong is a problem in the summary. */
export async function runScenario(scenario: Scenario, backend: BackendKind, story: Story): Promise<Summary> {
  const problems: string[] = [];
  let outcome = { released: 0, overwrites: 0, faultToReleasedMs: null as number | null };
  story.tell('story', `${scenario.name}: ${scenario.title}`);
  try {
    await using stage = await Stage.set({ backend, twoPaths: scenario.twoPaths ?? false }, story);
    try {
      await scenario.play(stage);
    } catch (err) {
      problems.push(messageOf(err));
    }
    outcome = outcomeOf(stage);
    const { heldAt, showsOverwrites } = scenario;
    if (outcome.released === 0 && heldAt !== backend) problems.push('Nothing was released');
    if (outcome.released > 0 && heldAt === backend) problems.push('The attachment was released, not held');
    if (outcome.overwrites > 0 && !showsOverwrites)
      problems.push(`${outcome.overwrites} blocks were overwritten by a host that had lost them`);
    if (outcome.overwrites === 0 && showsOverwrites) problems.push('No block was overwritten');
    for (const { name, problem } of stage.machines.volumes)
      if (problem !== undefined) problems.push(`${name}: ${problem}`);
  } catch (err) {
    problems.push(messageOf(err));
  }
  const summary: Summary = {
    kind: 'summary',
    scenario: scenario.name,
    ...outcome,
    ok: problems.length === 0,
    problems,
  };
  story.sum(summary);
  return summary;
}

function outcomeOf({ machines, released, story }: Stage) {
  const last = story.events.findLast(({ text }) => text.startsWith('Released stale attachment'));
  return {
    released: released.size,
    overwrites: machines.overwrites,
    faultToReleasedMs: last && story.faultAtMs !== undefined ? last.atMs : null,
  };
}
