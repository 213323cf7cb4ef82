import type { Outcome, Scenario } from './scenario.ts';
import { Stage } from './stage.ts';
import { Story, type Summary, type Teller } from './story.ts';

/** Plays one scenario to its end and judges it. Never rejects for what goes wrong in it: that is a problem in the summary. */
export async function runScenario(scenario: Scenario, teller: Teller): Promise<Summary> {
  const story = new Story(teller);
  const problems: string[] = [];
  let outcome: Outcome = {
    released: 0,
    held: 0,
    detectToReleaseMs: null,
    faultToRunningMs: null,
    doubleWrites: 0,
  };
  story.tell('story', `${scenario.name}: ${scenario.title}`);
  try {
    const stage = await Stage.set(scenario, story);
    try {
      await scenario.play(stage);
    } catch (err) {
      problems.push(err instanceof Error ? err.message : String(err));
    }
    outcome = outcomeOf(stage, story);
    problems.push(...scenario.judge(outcome, stage));
    if (outcome.doubleWrites > 0) problems.push(`${outcome.doubleWrites} double writes`);
    for (const controller of stage.controllers) {
      if (controller.hasExited) continue; // crashed on purpose
      const code = await controller.stop();
      if (code !== 0) problems.push(`${controller.name} ended with exit code ${code}`);
    }
    await stage[Symbol.asyncDispose]();
  } catch (err) {
    problems.push(err instanceof Error ? err.message : String(err));
  }
  const summary: Summary = {
    kind: 'summary',
    scenario: scenario.name,
    ...outcome,
    ok: problems.length === 0,
    problems,
  };
  teller.sum(summary);
  return summary;
}

function outcomeOf(stage: Stage, story: Story): Outcome {
  const volumes = (message: string) =>
    new Set(stage.logged(message).map((line) => String(line['persistentVolume'])));
  const released = volumes('Released stale attachment');
  const held = [...volumes('Held release')].filter((volume) => !released.has(volume));
  const atMs = (pick: 'find' | 'findLast', kind: string, text: RegExp) =>
    story.events[pick]((event) => event.kind === kind && event.atMs >= 0 && text.test(event.text))?.atMs;
  const lostAtMs = atMs('find', 'seen', /NotReady|is deleted/);
  const releasedAtMs = atMs('findLast', 'decided', /^release/);
  const runningAtMs = atMs('findLast', 'moved', /runs on/);
  return {
    released: released.size,
    held: held.length,
    detectToReleaseMs: lostAtMs === undefined || releasedAtMs === undefined ? null : releasedAtMs - lostAtMs,
    faultToRunningMs: stage.world.isSettled ? (runningAtMs ?? null) : null,
    doubleWrites: stage.world.rds.oracle.doubleWrites,
  };
}
