import { MODES, type Mode } from '@reattach/core';
import type { AttachmentState, StateReport } from '@reattach/status-page';
import type { ExitCode } from '../exit-code.ts';
import type { CliIo } from './cli-io.ts';
import { type Call, type Command, OUTPUT_FLAG, SERVER_FLAG } from './command.ts';
import { formatDuration } from './duration.ts';
import { filterReport, NAMESPACE_FLAG, NODE_FLAG } from './filter.ts';
import { print } from './print.ts';
import { readState } from './read-state.ts';
import type { Style, Tone } from './style.ts';
import { WATCH_FLAG, watched } from './watch.ts';
import { volumeName } from './words.ts';

/** One thing a pass would do now, or not do. */
export interface PlanStep {
  readonly kind: 'fence' | 'release' | 'unfence' | 'untaint' | 'wait' | 'hold';
  readonly node: string;
  readonly backend?: string;
  /** Absent where it concerns a whole node. */
  readonly volumes?: readonly string[];
  readonly reason?: string;
  readonly untilMs?: number;
  readonly why: string;
}

export const planCommand: Command = {
  name: 'plan',
  args: [],
  summary:
    'What a pass would do now, and what it would leave alone and why; with `--mode`, in that mode. Changes nothing.',
  flags: [NODE_FLAG, NAMESPACE_FLAG, WATCH_FLAG, OUTPUT_FLAG, SERVER_FLAG],
  run: (call, io) => watched(call, io, () => plan(call, io)),
};

/** The mode of `--mode`, for a what-if; a controller that runs in another mode answers for it too. */
function modeOf({ configArgv }: Call): Mode | undefined {
  const given = configArgv.findLast((flag) => flag.startsWith('--mode='))?.slice('--mode='.length);
  return MODES.find((mode) => mode === given);
}

async function plan(call: Call, io: CliIo): Promise<ExitCode> {
  const read = await readState(call, io, 'lost', modeOf(call));
  const { notes } = read;
  const report = filterReport(read.report, call);
  for (const note of notes) io.stderr(`${note}\n`);
  const steps = planOf(report);
  return print(call, io, { asOfMs: report.asOfMs, mode: report.mode, steps }, (style) =>
    planText(report, style),
  );
}

const ORDER: readonly PlanStep['kind'][] = ['fence', 'release', 'untaint', 'unfence', 'wait', 'hold'];

/** What is done once for a node, or for the same reason, is one step. */
export function planOf({ attachments, nodes }: StateReport): readonly PlanStep[] {
  const groups = Map.groupBy(
    attachments.filter(({ decision }) => decision !== 'keep'),
    ({ node, backend, decision, reason, why }) =>
      JSON.stringify([node, backend, decision, reason, decision === 'wait' || why]),
  );
  const steps = [...groups.values()].map(stepOf);
  const cleanups = nodes.flatMap(({ name: node, fences, taintCleanup }): PlanStep[] => [
    ...(taintCleanup?.startsWith(GOES)
      ? [{ kind: 'untaint' as const, node, why: taintCleanup.slice(GOES.length) }]
      : []),
    ...fences.flatMap(({ backend, cleanup }): PlanStep[] =>
      cleanup?.startsWith(GOES) ? [{ kind: 'unfence', node, backend, why: cleanup.slice(GOES.length) }] : [],
    ),
  ]);
  return [...steps, ...cleanups].toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}

const GOES = 'goes: ';

function stepOf(group: readonly AttachmentState[]): PlanStep {
  const [first] = group;
  if (!first || first.decision === 'keep') throw new TypeError('Expected a decision to act, wait or hold');
  const { decision: kind, node, backend, reason, why } = first;
  const untilMs = Math.min(...group.map((each) => each.untilMs ?? Number.POSITIVE_INFINITY));
  return {
    kind,
    node,
    backend,
    volumes: group.map(volumeName).toSorted(),
    reason,
    untilMs: Number.isFinite(untilMs) ? untilMs : undefined,
    why,
  };
}

/** @see planOf */
export function planText(report: StateReport, style: Style): string {
  const steps = planOf(report);
  if (steps.length === 0) return `Mode ${report.mode}: nothing to do\n`;
  const lines = steps.flatMap((step) => [
    headline(step, report.asOfMs, style),
    `    ${style('faint', `because: ${step.why}`)}`,
  ]);
  return [`Mode ${report.mode}: a pass would`, ...lines, ''].join('\n');
}

const TONES = {
  fence: 'good',
  release: 'good',
  untaint: 'good',
  unfence: 'good',
  wait: 'warn',
  hold: 'bad',
} as const satisfies Record<PlanStep['kind'], Tone>;

function headline(step: PlanStep, asOfMs: number, style: Style): string {
  const { kind, node, backend, volumes = [], reason, untilMs } = step;
  const names = volumes.join(', ');
  const time = untilMs === undefined ? '' : ` ${formatDuration(untilMs - asOfMs)}`;
  const words: { readonly [K in PlanStep['kind']]: string } = {
    fence: `fence node ${node} at backend ${backend}, for ${names}`,
    release: `release ${names} from node ${node}`,
    untaint: `take our taint off node ${node}`,
    unfence: `let node ${node} back to backend ${backend}`,
    wait: `wait${time} with ${names} on node ${node}`,
    hold: `hold ${names} on node ${node} (${reason})`,
  };
  return style(TONES[kind], `  ${words[kind]}`);
}
