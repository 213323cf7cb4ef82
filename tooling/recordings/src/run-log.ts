import { parseSocketReading, type SocketReading } from './socket-reading.ts';

/** What the script of a run did, or saw on the disk, and when. */
export type RunEventKind =
  | 'booted'
  | 'power-off'
  | 'power-cycle'
  | 'host-back'
  | 'cut'
  | 'healed'
  | 'fence'
  | 'unfence'
  | 'flush'
  | 'target-reboot'
  | 'only-raw-rule-left'
  | 'tracking-rule-back'
  | 'new-writer'
  | 'disk-content'
  | 'note';

export interface RunEvent {
  /** Milliseconds since the start of the run, when the line was logged: at or just after the event itself. */
  readonly atMs: number;
  readonly kind: RunEventKind;
  /** The text of the log, with continuation lines. */
  readonly text: string;
}

export interface RunLog {
  readonly events: readonly RunEvent[];
  /** Listings made with `ss`; empty except in S and S2. */
  readonly socketReadings: readonly SocketReading[];
}

/** The first pattern that matches names the event. */
const KINDS: readonly (readonly [RegExp, RunEventKind])[] = [
  [/^\S+ boot [\d.]+/, 'booted'],
  [/^POWER.OFF|^power \d|loses power$/, 'power-off'],
  [/power-cycle/, 'power-cycle'],
  [/is back and connected$/, 'host-back'],
  [/^CUT /, 'cut'],
  [/^HEALED/, 'healed'],
  [/^(D3 )?FENCE|^fence \d/, 'fence'],
  [/^UN-FENCE/, 'unfence'],
  [/: flush \d+$/, 'flush'],
  [/: box reboot$/, 'target-reboot'],
  [/only the raw rule is left/, 'only-raw-rule-left'],
  [/a rule that asks for the state again/, 'tracking-rule-back'],
  [/^b writes /, 'new-writer'],
  [/(^|: |sees |vol1 )R blocks /, 'disk-content'],
];

/** Parses a run log. Lines that repeat a sample (`+4.9 22:45048 ESTABL ...`) are left out: see `Recording.samples`. */
export function parseRunLog(text: string): RunLog {
  const events: RunEvent[] = [];
  const socketReadings: SocketReading[] = [];
  for (const entry of text.split(/\n(?= *\d+\.\d{3} )/)) {
    const m = /^ *(\d+\.\d{3}) (.*)$/s.exec(entry);
    if (!m) continue;
    const atMs = Math.round(Number(m[1]) * 1000);
    const body = (m[2] ?? '').trim();
    const reading = parseSocketReading(atMs, body);
    if (reading) socketReadings.push(reading);
    else if (body !== '' && !repeatsSample(body)) events.push({ atMs, kind: kindOf(body), text: body });
  }
  return { events, socketReadings };
}

function kindOf(body: string): RunEventKind {
  const firstLine = body.split('\n', 1)[0] ?? '';
  return KINDS.find(([pattern]) => pattern.test(firstLine))?.[1] ?? 'note';
}

const repeatsSample = (body: string): boolean =>
  /^\+-?\d|^\d+:\d+ [A-Z_]+ \d|^RAW |^\{|^before |^\S+ \+-?\d/.test(body);
