import { inspect, styleText } from 'node:util';
import { printable, printableDeep, printableLines } from './printable.ts';

const COLOURS = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const;

/** Turns one JSON log line into one for people: time, level, message, fields. Returns a line that holds something else unchanged. */
export function prettyLine(line: string): string {
  const record = parse(line);
  if (!record) return line;
  const { level, time, msg, err, ...fields } = record;
  const colour = Object.entries(COLOURS).find(([name]) => name === level)?.[1] ?? 'white';
  const clock = String(time).slice('2026-01-01T'.length, -1);
  const rest = Object.entries(fields).map(
    ([key, value]) => `${styleText('gray', `${printable(key)}=`)}${plain(value)}`,
  );
  const head = [
    clock,
    styleText(colour, String(level).toUpperCase().padEnd(5)),
    printable(String(msg)),
    ...rest,
  ].join(' ');
  return `${head}\n${err === undefined ? '' : `${stackOf(err)}\n`}`;
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function plain(value: unknown): string {
  if (typeof value === 'string') return printable(value);
  return inspect(printableDeep(value), { breakLength: Number.POSITIVE_INFINITY, depth: 4 });
}

function stackOf(err: unknown): string {
  return typeof err === 'object' && err !== null && 'stack' in err
    ? printableLines(String(err.stack))
    : plain(err);
}
