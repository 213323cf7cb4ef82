import { type ConntrackRow, parseConntrackRow } from './conntrack-row.ts';
import { parseProcTcpRow, type SocketRow } from './socket-row.ts';

/** Counters of `/sys/block/<device>/stat`. A request counts as done when the disk has carried it out. */
export interface BlockCounters {
  readonly reads: number;
  readonly writes: number;
  readonly writeSectors: number;
  readonly inFlight: number;
}

/** What the sampler on the target read at one moment. */
export interface Sample {
  /** Clock of the run log, when the sample arrived: milliseconds since the start of the run. */
  readonly atMs: number;
  /** The target's monotonic clock when the sample was taken. Free of transport delay, restarts with the target. */
  readonly uptimeMs: number;
  /** How often the target had booted: 1, or 2 after its reboot in recording G. */
  readonly targetBoot: number;
  readonly conntrack: readonly ConntrackRow[];
  readonly sockets: readonly SocketRow[];
  /** By device: `loop0` is the disk of vol1, `nullb1` of vol2, `dm0` the slow disk of vol3 (on top of `nullb1`). */
  readonly blocks: Readonly<Record<string, BlockCounters>>;
}

/** Parses the unpacked text of one `.samples.gz`. An incomplete last sample is dropped. */
export function parseSamples(text: string, targetPort: number, targetBoot: number): readonly Sample[] {
  const samples: Sample[] = [];
  let current = open(0, 0, targetBoot);
  for (const line of text.split('\n')) {
    const [at = '', kind, ...rest] = line.split(' ');
    const body = rest.join(' ');
    if (kind === 'T') current = open(Math.round(Number(at) * 1000), Number(body), targetBoot);
    else if (kind === 'CT') current.conntrack.push(parseConntrackRow(body, targetPort));
    else if (kind === 'BS') addCounters(current.blocks, body);
    else if (kind === 'TCP') {
      const socket = parseProcTcpRow(body);
      if (socket.state !== 'LISTEN') current.sockets.push(socket);
    } else if (kind === 'E') samples.push(current);
  }
  return samples;
}

function open(atMs: number, uptimeMs: number, targetBoot: number) {
  return {
    atMs,
    uptimeMs,
    targetBoot,
    conntrack: [] as ConntrackRow[],
    sockets: [] as SocketRow[],
    blocks: {} as Record<string, BlockCounters>,
  };
}

function addCounters(blocks: Record<string, BlockCounters>, body: string): void {
  const [device = '', ...counters] = body.trim().split(/\s+/);
  const [reads = 0, , , , writes = 0, , writeSectors = 0, , inFlight = 0] = counters.map(Number);
  blocks[device] = { reads, writes, writeSectors, inFlight };
}
