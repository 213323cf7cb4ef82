import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parseRunLog, type RunEvent, type RunEventKind } from './run-log.ts';
import { parseSamples, type Sample } from './sample.ts';
import type { SocketReading } from './socket-reading.ts';

/** Names of the runs. What each one shows is in the package's README. */
export type RecordingName =
  | 'A'
  | 'A3'
  | 'B'
  | 'C'
  | 'D'
  | 'D2'
  | 'G'
  | 'P'
  | 'S'
  | 'S2-15s-fence'
  | 'S2-15s-power'
  | 'S2-45s-fence'
  | 'T'
  | 'T2';

/** The target of every run. Hosts a, b, c and d have the addresses 10.9.0.21 to 10.9.0.24. */
export const TARGET = { address: '10.9.0.10', port: 4420 } as const;
export const HOSTS = { a: '10.9.0.21', b: '10.9.0.22', c: '10.9.0.23', d: '10.9.0.24' } as const;

/** One run of the laboratory. All times are milliseconds since its start. */
export interface Recording {
  readonly name: RecordingName;
  /** In order of time; empty in S and S2. */
  readonly samples: readonly Sample[];
  readonly events: readonly RunEvent[];
  readonly socketReadings: readonly SocketReading[];
}

/** How many sample files there are: one for each boot of the target that was sampled. */
const TARGET_BOOTS: Readonly<Partial<Record<RecordingName, number>>> = {
  A: 1,
  A3: 1,
  B: 1,
  C: 1,
  D: 1,
  D2: 1,
  G: 2,
  P: 1,
  T: 1,
  T2: 1,
};

const cache = new Map<RecordingName, Recording>();

/** Reads a recording. Synchronous; parsed once a process. */
export function readRecording(name: RecordingName): Recording {
  let recording = cache.get(name);
  if (!recording) cache.set(name, (recording = load(name)));
  return recording;
}

function load(name: RecordingName): Recording {
  const file = (suffix: string) => readFileSync(new URL(`../data/${name}-${suffix}`, import.meta.url));
  const boots = Array.from({ length: TARGET_BOOTS[name] ?? 0 }, (_, i) => i + 1);
  const samples = boots.flatMap((boot) =>
    parseSamples(gunzipSync(file(`target-boot${boot}.samples.gz`)).toString(), TARGET.port, boot),
  );
  return { name, samples, ...parseRunLog(file('run.log').toString()) };
}

/** The `index`-th event of a kind, counted from 0. @throws {RangeError} when the recording has no such event. */
export function eventOf(recording: Recording, kind: RunEventKind, index = 0): RunEvent {
  const event = recording.events.filter((e) => e.kind === kind)[index];
  if (!event) throw new RangeError(`Recording ${recording.name} has no event ${kind} number ${index}`);
  return event;
}

/** The moments at which writes of a device were done, from its counters: one entry for each sample that shows new ones. */
export function writesLanded(
  recording: Recording,
  device: string,
): readonly { readonly atMs: number; readonly writes: number }[] {
  let seen: number | undefined;
  return recording.samples.flatMap(({ atMs, blocks }) => {
    const total = blocks[device]?.writes;
    if (total === undefined) return [];
    const writes = total - (seen ?? total);
    seen = total;
    return writes > 0 ? [{ atMs, writes }] : [];
  });
}
