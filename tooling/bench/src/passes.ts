import type { BenchOptions } from './bench-options.ts';
import { calibrationMs } from './calibration.ts';
import { cpuMs, median } from './measure.ts';
import { PassWorld } from './pass-world.ts';
import { printTable } from './table.ts';
import { untrackWorld } from './untrack-world.ts';

const SIZES = { '10k': 10_000, '100k': 100_000 } as const;
type Size = keyof typeof SIZES;
type Figure = Partial<Record<Size, number>>;

/** A pass is measured until this much CPU is spent, in batches, so that short passes are measured exactly. */
const BUDGET_MS = 1_000;
const MIN_RUNS = 5;
const WARM_UP_RUNS = 20;
const STORM_NODES = 500;
const STORM_RUNS = 3;

/** Median CPU of one pass of the Go original on another machine, ms: published references, not measured here. */
const GO: Readonly<Record<string, Figure>> = {
  idle: { '10k': 2.4, '100k': 52 },
  onePercent: { '10k': 2.9 },
  tenPercent: { '10k': 6.4, '100k': 74 },
  fiftyPercent: { '10k': 19.6, '100k': 212 },
  untrackIdle: { '10k': 2.4, '100k': 52 },
  untrackTenPercent: { '10k': 6.4, '100k': 74 },
};

const GOALS: Readonly<Record<string, Figure>> = {
  ...GO,
  oneLost: { '10k': 0.5, '100k': 0.5 },
  oneLostChurn: { '10k': 0.7, '100k': 0.7 },
  storm: { '10k': 500, '100k': 700 },
};

const TITLES: Readonly<Record<string, string>> = {
  idle: 'pass, nothing lost',
  audit: 'audit every intervalMs, nothing lost',
  oneLost: 'pass, one node lost',
  oneLostChurn: 'the same, one VolumeAttachment changed since',
  onePercent: 'pass, 1 % of the nodes lost',
  tenPercent: 'pass, 10 % lost',
  fiftyPercent: 'pass, 50 % lost',
  untrackIdle: 'UntrackPass, no node gone',
  untrackTenPercent: 'UntrackPass, 10 % gone',
  storm: `releasing ${STORM_NODES} lost nodes, whole CPU`,
};

/** CPU of passes, by how much is attached and how much is lost. `--scale 10`: only 100,000 attachments; `1`: only 10,000. */
export async function passes({ json, scale }: BenchOptions): Promise<void> {
  const sizes: readonly Size[] = scale === undefined ? ['10k', '100k'] : scale === 1 ? ['10k'] : ['100k'];
  const figures: Record<string, Figure> = {};
  const add = (name: string, size: Size, ms: number) => {
    figures[name] = { ...figures[name], [size]: ms };
    if (json) process.stdout.write(`${JSON.stringify({ kind: 'figure', name, size, ms })}\n`);
  };
  const before = await calibrationMs();
  for (const size of sizes) {
    const attachments = SIZES[size];
    add('idle', size, await lostPass(attachments, 0));
    add('audit', size, await audit(attachments));
    add('oneLost', size, await lostPass(attachments, 1));
    add('oneLostChurn', size, await lostPass(attachments, 1, true));
    const nodes = attachments / 2;
    add('onePercent', size, await lostPass(attachments, nodes / 100));
    add('tenPercent', size, await lostPass(attachments, nodes / 10));
    add('fiftyPercent', size, await lostPass(attachments, nodes / 2));
    add('untrackIdle', size, await repeat(await untrackWorld(attachments, 0)));
    add('untrackTenPercent', size, await repeat(await untrackWorld(attachments, 0.1)));
    add('storm', size, await storm(attachments));
  }
  const calibration = (before + (await calibrationMs())) / 2;
  printTable(
    `Passes, median CPU ms; "ratio": to a calibration loop of ${calibration.toFixed(1)} ms beside them`,
    [
      ['', 'attachments', 'CPU ms', 'ratio', 'Go original (published)', 'goal'],
      ...Object.keys(TITLES).flatMap((name) =>
        sizes.map((size) => rowOf(name, size, figures[name]?.[size] ?? Number.NaN, calibration)),
      ),
    ],
    json ? process.stderr : process.stdout,
  );
  if (!json) return;
  const { idle, oneLost, oneLostChurn, storm: released } = figures;
  const summary = {
    kind: 'summary',
    idle,
    oneLost,
    oneLostChurn,
    storm: released,
    calibrationMs: calibration,
  };
  process.stdout.write(`${JSON.stringify(summary)}\n`);
}

function rowOf(name: string, size: Size, ms: number, calibration: number): readonly string[] {
  const goal = GOALS[name]?.[size];
  return [
    TITLES[name] ?? name,
    size,
    ms.toFixed(ms < 10 ? 3 : 1),
    (ms / calibration).toFixed(4),
    String(GO[name]?.[size] ?? ''),
    goal === undefined ? '' : `<= ${goal}`,
  ];
}

/** A pass over nodes that stay lost and held, so that each repetition does the same. */
async function lostPass(attachments: number, lost: number, hasChurn = false): Promise<number> {
  const world = new PassWorld(attachments);
  world.lose(lost);
  world.holdAll(lost);
  const ms = await repeat(async () => {
    if (hasChurn) world.churn();
    await world.run();
    world.backend.observations.length = 0;
  });
  const isIdle = world.actions.calls.length + world.backend.calls.length === 0;
  if (world.left !== attachments || !isIdle) throw new Error('a pass over held nodes changed something');
  return ms;
}

/** A pass that reads everything and compares it with what passes keep. */
async function audit(attachments: number): Promise<number> {
  const world = new PassWorld(attachments);
  return repeat(() => world.run('periodic'));
}

/** CPU of one run, ms: the median of batches that are long enough to be measured. */
async function repeat(run: () => Promise<unknown>): Promise<number> {
  const first = await cpuMs(run);
  if (first < BUDGET_MS / MIN_RUNS) for (let index = 0; index < WARM_UP_RUNS; index++) await run();
  const second = Math.max(await cpuMs(run), 0.01);
  const batch = Math.max(1, Math.min(100, Math.round(10 / second)));
  const runs = Math.max(MIN_RUNS, Math.min(50, Math.round(BUDGET_MS / (second * batch))));
  const times: number[] = [];
  for (let index = 0; index < runs; index++) {
    const batchMs = await cpuMs(async () => {
      for (let each = 0; each < batch; each++) await run();
    });
    times.push(batchMs / batch);
  }
  return median(times);
}

/** Every node is fenced effectively when it starts. Ends when every attachment of the lost nodes is released. */
async function storm(attachments: number): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < STORM_RUNS; run++) {
    const world = new PassWorld(attachments, { isBreakerOff: true });
    await world.run();
    world.lose(STORM_NODES);
    world.fence(STORM_NODES);
    const left = attachments - 2 * STORM_NODES;
    let passCount = 0;
    const ms = await cpuMs(async () => {
      for (; world.left > left; passCount++) {
        if (passCount > STORM_NODES || world.hasFailed)
          throw new Error(
            `${world.left - left} attachments of lost nodes are left after ${passCount} passes`,
          );
        await world.run();
      }
    });
    times.push(ms);
  }
  return median(times);
}
