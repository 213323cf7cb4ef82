import type { FakeClock } from '@reattach/core/testing';
import type { KernelTcpState, Recording } from '@reattach/recordings';
import type { Device } from '../device/device.ts';
import type { TcpState } from '../tracking/tcp-state.ts';

/** A row of connection tracking, of the kernel or of the simulator. */
export interface Row {
  readonly port: number;
  readonly state: KernelTcpState;
  readonly remainingSeconds: number;
  readonly hostPackets: number;
  readonly targetPackets: number;
}

/** Rows of one host at a time. */
export interface RowSample {
  /** Since the event of the script, ms. */
  readonly atMs: number;
  readonly rows: readonly Row[];
}

/** When a queue's row was first seen in a state; `gone`: it was no longer there. */
export interface Step {
  readonly state: KernelTcpState | 'gone';
  readonly atMs: number;
}

const KERNEL_NAMES: Readonly<Record<TcpState, KernelTcpState>> = {
  'syn-sent': 'SYN_SENT',
  'syn-received': 'SYN_RECV',
  established: 'ESTABLISHED',
  'fin-wait': 'FIN_WAIT',
  'close-wait': 'CLOSE_WAIT',
  'last-ack': 'LAST_ACK',
  'time-wait': 'TIME_WAIT',
  close: 'CLOSE',
};

/** What the recording shows of a host from `fromMs` to `untilMs` around an event. */
export function recordedRows(
  recording: Recording,
  hostAddress: string,
  eventAtMs: number,
  [fromMs, untilMs]: readonly [number, number],
): readonly RowSample[] {
  return recording.samples
    .map(({ atMs, conntrack }) => ({
      atMs: atMs - eventAtMs,
      rows: conntrack
        .filter((row) => row.hostAddress === hostAddress)
        .map(({ hostPort, state, timeoutSeconds, hostPackets, targetPackets }) => ({
          port: hostPort,
          state,
          remainingSeconds: timeoutSeconds,
          hostPackets,
          targetPackets,
        })),
    }))
    .filter(({ atMs }) => atMs >= fromMs && atMs <= untilMs);
}

/** Lets the simulator run, and notes its rows of a host every 100 ms. Time 0 is now. */
export async function simulatedRows(
  device: Device,
  clock: FakeClock,
  hostAddress: string,
  untilMs: number,
): Promise<readonly RowSample[]> {
  const startMs = clock.now();
  const samples: RowSample[] = [];
  while (clock.now() - startMs < untilMs) {
    await clock.advance(100);
    samples.push({ atMs: clock.now() - startMs, rows: rowsNow(device, clock, hostAddress) });
  }
  return samples;
}

export function rowsNow(device: Device, clock: FakeClock, hostAddress: string): readonly Row[] {
  return device.connections.entries
    .filter(({ flow }) => flow.hostAddress === hostAddress)
    .map((entry) => ({
      port: entry.flow.hostPort,
      state: KERNEL_NAMES[entry.tcpState],
      remainingSeconds: Math.floor((entry.expiresAtMs - clock.now()) / 1000),
      hostPackets: entry.isHostOriginal ? entry.originalPackets : entry.replyPackets,
      targetPackets: entry.isHostOriginal ? entry.replyPackets : entry.originalPackets,
    }));
}

/**
 * How the row of each queue went from state to state, the queue with the lowest port first: the admin queue. FIN_WAIT is
 * left out: it lasts 20 ms, and samples see it by chance.
 */
export function stepsOf(samples: readonly RowSample[]): readonly (readonly Step[])[] {
  const steps = new Map<number, Step[]>();
  for (const { atMs, rows } of samples) {
    for (const { port, state } of rows) {
      const known = steps.get(port) ?? [];
      steps.set(port, known);
      if (state !== 'FIN_WAIT' && known.at(-1)?.state !== state) known.push({ state, atMs });
    }
    for (const [port, known] of steps) {
      if (known.at(-1)?.state !== 'gone' && !rows.some((row) => row.port === port)) {
        known.push({ state: 'gone', atMs });
      }
    }
  }
  return [...steps].toSorted(([a], [b]) => a - b).map(([, known]) => known);
}

/** The states of a queue in order, and the times from the second on. */
export function statesOf(steps: readonly Step[] | undefined): readonly string[] {
  return (steps ?? []).map(({ state }) => state);
}

/** The longest time between two packets on the row of `port`, as its time-out shows it, s. */
export function longestSilenceSeconds(samples: readonly RowSample[], port: number): number {
  const ages = samples.flatMap(({ rows }) =>
    rows
      .filter((row) => row.port === port && row.remainingSeconds > 86_000)
      .map(({ remainingSeconds }) => 86_400 - remainingSeconds),
  );
  return Math.max(...ages);
}

/** Lowest port first: the admin queue. */
export function portsOf(samples: readonly RowSample[]): readonly number[] {
  return [...new Set(samples.flatMap(({ rows }) => rows.map(({ port }) => port)))].toSorted((a, b) => a - b);
}
