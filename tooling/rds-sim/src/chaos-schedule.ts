import type { CommandFault, ConnectionFault, ScheduledFault } from './faults.ts';

export interface ChaosOptions {
  /** Equal seeds give equal schedules. */
  readonly seed: number;
  /** Trouble begins within this time, ms; default 600 000. */
  readonly durationMs?: number;
  /** Mean time from one trouble to the next, ms; default 20 000. */
  readonly meanGapMs?: number;
  /** Longest trouble that lasts, ms; default 30 000. */
  readonly longestMs?: number;
}

/** A number from 0 up to, not including, 1. */
type Random = () => number;

const CONNECTION_FAULTS: readonly ConnectionFault['kind'][] = [
  'reset',
  'silent',
  'auth',
  'session-limit',
  'channel',
];

/** A fault of one command. */
function commandFault(random: Random, longestMs: number): CommandFault {
  const applied = random() < 0.5;
  const faults: readonly CommandFault[] = [
    { kind: 'hang', applied },
    { kind: 'slow', delayMs: Math.ceil(random() * longestMs) },
    { kind: 'cut', afterBytes: Math.floor(random() * 200) },
    { kind: 'close-channel', afterBytes: Math.floor(random() * 200) },
    { kind: 'truncate' },
    { kind: 'log-line', afterLines: Math.floor(random() * 3) },
    { kind: 'garbage' },
    { kind: 'exit-status', status: applied ? 'none' : 1 },
    { kind: 'replace', output: '', applied },
  ];
  return pick(random, faults);
}

/** A random but repeatable sequence of everything that can go wrong between a client and the device, for `Faults.schedule`. */
export function chaosSchedule(options: ChaosOptions): readonly ScheduledFault[] {
  const { seed, durationMs = 600_000, meanGapMs = 20_000, longestMs = 30_000 } = options;
  const random = mulberry32(seed);
  const steps: ScheduledFault[] = [];
  for (let atMs = gap(random, meanGapMs); atMs < durationMs; atMs += gap(random, meanGapMs)) {
    steps.push(...trouble(random, atMs, longestMs));
  }
  return steps;
}

/** A fault that lasts is two steps: its beginning and its end. */
function trouble(random: Random, afterMs: number, longestMs: number): readonly ScheduledFault[] {
  const lastsMs = Math.ceil(random() * longestMs);
  const kind = Math.floor(random() * 10);
  if (kind < 5) {
    const fault = commandFault(random, longestMs);
    return [{ name: `command ${fault.kind}`, afterMs, strike: (faults) => faults.onCommand('', fault) }];
  }
  if (kind === 5) {
    const fault = { kind: pick(random, CONNECTION_FAULTS) };
    return [{ name: `connection ${fault.kind}`, afterMs, strike: (faults) => faults.onConnection(fault) }];
  }
  if (kind === 6) return [{ name: 'drop', afterMs, strike: (faults) => faults.dropConnections() }];
  if (kind === 7) return [{ name: 'reboot', afterMs, strike: (faults) => faults.reboot(lastsMs) }];
  if (kind === 8) {
    let frozen: Disposable | undefined;
    return [
      {
        name: 'freeze',
        afterMs,
        strike: (faults) => {
          frozen = faults.freeze();
        },
      },
      { name: 'thaw', afterMs: afterMs + lastsMs, strike: () => frozen?.[Symbol.dispose]() },
    ];
  }
  return [
    { name: 'down', afterMs, strike: (faults) => faults.down() },
    { name: 'up', afterMs: afterMs + lastsMs, strike: (faults) => faults.up() },
  ];
}

/** Exponentially distributed, as the gaps between independent events are. */
function gap(random: Random, meanMs: number): number {
  return Math.ceil(-Math.log(1 - random()) * meanMs);
}

function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new TypeError('nothing to pick from');
  return item;
}

/** Tommy Ettinger's mulberry32 generator. */
function mulberry32(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
