import { styleText } from 'node:util';
import type { StoryEvent, Summary, Teller } from './story.ts';

/** One JSON object a line, the summary last, nothing else. */
export function jsonTeller(write: (line: string) => void): Teller {
  return {
    tell: (event) => write(`${JSON.stringify(event)}\n`),
    sum: (summary) => write(`${JSON.stringify(summary)}\n`),
  };
}

const COLOURS = {
  story: 'gray',
  fault: 'red',
  seen: 'blue',
  decided: 'yellow',
  written: 'magenta',
  moved: 'green',
  error: 'redBright',
} as const;

/** For people; colours only where they are wanted. */
export function textTeller(write: (text: string) => void, colours: boolean): Teller {
  const paint = (kind: StoryEvent['kind'], text: string) => (colours ? styleText(COLOURS[kind], text) : text);
  return {
    tell: ({ kind, atMs, text }) =>
      write(`${seconds(atMs).padStart(8)}  ${paint(kind, kind.padEnd(8))} ${text}\n`),
    sum: (summary) => write(table(summary)),
  };
}

function table(summary: Summary): string {
  const { released, held, detectToReleaseMs, faultToRunningMs, doubleWrites, problems, ok } = summary;
  const rows: [string, string, string][] = [
    ['', 'this run', 'Kubernetes alone (real times)'],
    ['volumes released', String(released), '0 without a person'],
    ['volumes held back', String(held), ''],
    [
      'node reported lost -> last volume let go',
      time(detectToReleaseMs),
      '6 min after the pods are gone, which takes 5 min or for ever',
    ],
    ['fault -> everything runs again', time(faultToRunningMs), 'StatefulSet: never by itself'],
    ['double writes the backend accepted', String(doubleWrites), 'not prevented'],
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map(([a, b, c]) =>
    `  ${a.padEnd(widths[0] ?? 0)}  ${b.padEnd(widths[1] ?? 0)}  ${c}`.trimEnd(),
  );
  const verdict = ok
    ? 'The scenario ended as it must.'
    : `The scenario did NOT end as it must:\n  - ${problems.join('\n  - ')}`;
  return `\n${lines.join('\n')}\n\nWaits of this run are compressed about twenty times; node NotReady takes 40 to 55 s in reality, Reattach's grace 10 s of silence.\n${verdict}\n`;
}

function time(ms: number | null): string {
  return ms === null ? '-' : seconds(ms);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
