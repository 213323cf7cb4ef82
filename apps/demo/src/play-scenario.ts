import type { BackendKind } from '@reattach/sim-world';
import type { Reporter } from './reporter.ts';
import type { Scenario } from './scenario.ts';
import { ScenarioRun } from './scenario-run.ts';
import type { Outcome, Summary } from './summary.ts';
import { Timeline } from './timeline.ts';

/** Plays one scenario to its end and judges it. A fault of the run becomes a problem in the summary; it never rejects. */
export async function playScenario(
  scenario: Scenario,
  backend: BackendKind,
  reporter: Reporter,
): Promise<Summary> {
  const timeline = new Timeline(reporter.event);
  const problems: string[] = [];
  let outcome: Outcome | undefined;
  timeline.add('narration', `${scenario.name}: ${scenario.title}`);
  try {
    await using run = await ScenarioRun.start(scenario, backend, timeline);
    await scenario.play(run).catch((err: unknown) => problems.push(messageOf(err)));
    outcome = outcomeOf(run);
    problems.push(...scenario.judge(outcome, run));
    if (scenario.lesson) {
      timeline.add('learn', scenario.lesson.learn);
      timeline.add('next', scenario.lesson.next);
    }
    if (outcome.doubleWrites > 0) problems.push(`${outcome.doubleWrites} double writes`);
    problems.push(...(await run.stopControllers()));
  } catch (err) {
    problems.push(messageOf(err));
  }
  const summary: Summary = {
    kind: 'summary',
    scenario: scenario.name,
    ok: problems.length === 0,
    ...(outcome ?? NOTHING),
    problems,
  };
  reporter.summary(summary);
  return summary;
}

const NOTHING: Outcome = {
  released: 0,
  held: 0,
  detectToReleaseMs: null,
  faultToRunningMs: null,
  doubleWrites: 0,
};

function messageOf(err: unknown): string {
  return err instanceof Error ? err.message : String(err);
}

function outcomeOf(run: ScenarioRun): Outcome {
  const volumes = (message: string) =>
    new Set(run.logged(message).map((line) => String(line['persistentVolume'])));
  const released = volumes('Released stale attachment');
  const held = [...volumes('Held release')].filter((volume) => !released.has(volume));
  const atMs = (pick: 'find' | 'findLast', kind: string, text: RegExp) =>
    run.timeline.events[pick]((event) => event.kind === kind && event.atMs >= 0 && text.test(event.text))
      ?.atMs;
  const lostAtMs = atMs('find', 'seen', /NotReady|was deleted/);
  const releasedAtMs = atMs('findLast', 'done', /^released/);
  const runningAtMs = atMs('findLast', 'moved', /runs on/);
  return {
    released: released.size,
    held: held.length,
    detectToReleaseMs: lostAtMs === undefined || releasedAtMs === undefined ? null : releasedAtMs - lostAtMs,
    faultToRunningMs: run.world.isSettled ? (runningAtMs ?? null) : null,
    doubleWrites: run.world.rds.oracle.doubleWrites,
  };
}
