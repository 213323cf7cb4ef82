import { styleText } from 'node:util';
import type { Summary } from './summary.ts';
import type { TimelineListener } from './timeline.ts';

/** Shows a run while it happens, and its summary at the end. */
export interface Reporter {
  readonly event: TimelineListener;
  summary(summary: Summary): void;
}

/** Writes one JSON object per event; the last line is the summary. */
export function jsonReporter(write: (line: string) => void): Reporter {
  return {
    event: (event) => write(`${JSON.stringify(event)}\n`),
    summary: (summary) => write(`${JSON.stringify(summary)}\n`),
  };
}

const COLOURS = {
  narration: 'gray',
  fault: 'red',
  seen: 'blue',
  decided: 'yellow',
  written: 'magenta',
  done: 'yellow',
  moved: 'green',
  learn: 'cyan',
  next: 'cyan',
  error: 'redBright',
} as const;

/** Writes aligned text for a terminal. */
export function textReporter(write: (text: string) => void, colours: boolean): Reporter {
  const paint = (kind: keyof typeof COLOURS, text: string) =>
    colours ? styleText(COLOURS[kind], text) : text;
  let hasFault = false; // a run that did not reach its fault has no figures worth a table
  return {
    event: ({ kind, atMs, text }) => {
      hasFault ||= kind === 'fault';
      write(`${seconds(atMs).padStart(8)}  ${paint(kind, kind.padEnd(9))} ${text}\n`);
    },
    summary: (summary) => write(`${hasFault ? table(summary) : ''}${verdict(summary)}`),
  };
}

function verdict({ ok, problems }: Summary): string {
  if (ok) return '\nThe scenario ended as it must.\n';
  return `\nThe scenario failed:\n  - ${problems.join('\n  - ')}\n`;
}

function table({ released, held, detectToReleaseMs, faultToRunningMs, doubleWrites }: Summary): string {
  const rows: readonly (readonly [string, string, string])[] = [
    ['', 'this run', 'Kubernetes alone (real times)'],
    ['volumes released', String(released), '0 without a person'],
    ['volumes held', String(held), ''],
    [
      'node reported lost -> last volume released',
      time(detectToReleaseMs),
      '6 min after the pods are gone, which takes 5 min or needs a person',
    ],
    ['fault -> every replica runs again', time(faultToRunningMs), 'StatefulSet: needs a person'],
    ['double writes that the backend accepted', String(doubleWrites), 'not prevented'],
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map(([a, b, c]) =>
    `  ${a.padEnd(widths[0] ?? 0)}  ${b.padEnd(widths[1] ?? 0)}  ${c}`.trimEnd(),
  );
  return `\n${lines.join('\n')}\n\nThis run uses times about twenty times shorter than production: Kubernetes needs 40 to 55 s to mark a node NotReady.\n`;
}

function time(ms: number | null): string {
  return ms === null ? '-' : seconds(ms);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
