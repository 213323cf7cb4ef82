import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@reattach/core';
import { createRdsBackend, type RdsBackend, type RdsBackendOptions } from '@reattach/rds-client';
// The parser is not part of the package's interface: it is measured where it lives.
import { parseReply } from '../../../packages/rds-client/src/routeros/reply.ts';
import { parseExports } from '../../../packages/rds-client/src/routeros/rows.ts';
import { EXPORTS } from './backend-size.ts';
import { cpuMs, heapMb, median } from './measure.ts';
import { printTable } from './table.ts';

const READINGS = 30;
const CONNECTIONS = 20;
const IDLE_MS = 20_000;
const QUESTION = { suspects: [], peers: [] };

type Server = Pick<RdsBackendOptions, 'host' | 'user' | 'privateKey' | 'hostKey'> & { readonly port: number };

/** One reading of a large backend: round trips, time, the parser alone; and what a connection costs. */
export async function backend(): Promise<void> {
  const server = fork(fileURLToPath(new URL('./backend-server.ts', import.meta.url)));
  try {
    const [at] = (await once(server, 'message')) as [Server];
    const commandsSoFar = async (): Promise<number> => {
      server.send('count');
      const [count] = (await once(server, 'message')) as [number];
      return count;
    };
    const { signal } = new AbortController();
    await using subject = open(at);
    await subject.observe(QUESTION, signal);
    const before = await commandsSoFar();
    await subject.observe(QUESTION, signal);
    const roundTrips = (await commandsSoFar()) - before;
    const wall: number[] = [];
    const cpu: number[] = [];
    for (let index = 0; index < READINGS; index++) {
      const startedAtMs = performance.now();
      cpu.push(await cpuMs(() => subject.observe(QUESTION, signal)));
      wall.push(performance.now() - startedAtMs);
    }
    const sessions = subject.lastSnapshot?.sessions.length ?? 0;
    if (subject.lastSnapshot?.exports.length !== EXPORTS) throw new Error('the backend was not read');
    const parser = measureParser();
    const connections = await measureConnections(at, signal);
    printTable(`Storage backend: ${EXPORTS} exports, ${sessions} sessions, median of ${READINGS} readings`, [
      ['', 'measured', 'baseline', 'goal'],
      ['round trips per reading', String(roundTrips), '', 'as few as possible'],
      ['reading, ms (backend included)', median(wall).toFixed(0), '', ''],
      ['reading, ms CPU of ours', median(cpu).toFixed(0), '', ''],
      [
        'parser, MB/s (baseline: JSON.parse)',
        parser.mbPerS.toFixed(0),
        parser.baselineMbPerS.toFixed(0),
        '>= 20',
      ],
      ['parser, ms', parser.ms.toFixed(1), parser.baselineMs.toFixed(1), '<= 50'],
      ['heap per connection and its last reading, kB', connections.heapKb.toFixed(0), '', ''],
      [`CPU of ${CONNECTIONS} idle connections, %`, connections.cpuPercent.toFixed(2), '', '< 1'],
    ]);
  } finally {
    server.kill();
  }
}

function open(at: Server, name = 'backend'): RdsBackend {
  const subject = createRdsBackend({ ...at, name, clock: systemClock });
  subject.start(new AbortController().signal);
  return subject;
}

/** The reply about the exports of a full backend, as `:serialize` prints it. */
function measureParser() {
  const records = Array.from({ length: EXPORTS }, (_, index) => ({
    '.id': `*${index.toString(16).toUpperCase()}`,
    slot: `pvc-${String(index).padStart(8, '0')}`,
    'nvme-tcp-export': true,
    'nvme-tcp-server-nqn': `nqn.2026-01.example.test:pvc-${String(index).padStart(8, '0')}`,
    'nvme-tcp-server-port': 4420,
    size: 10 * 2 ** 30,
    disabled: false,
  }));
  const json = JSON.stringify(records);
  const reply = Buffer.from(`exports=${json}\r\nEND-0123456789abcdef\r\n`);
  const ms = medianMs(() => {
    const parsed = parseReply(reply, '0123456789abcdef', [{ label: 'exports' }]);
    const exports = parsed.ok && parseExports(parsed.value.get('exports') ?? [], true);
    if (!exports || exports.skipped.length > 0) throw new Error('the reply was not understood');
  });
  const baselineMs = medianMs(() => void JSON.parse(json));
  const mb = reply.length / 1e6;
  return { ms, baselineMs, mbPerS: (mb / ms) * 1_000, baselineMbPerS: (mb / baselineMs) * 1_000 };
}

/** Median of many runs, ms. */
function medianMs(run: () => void): number {
  const times = Array.from({ length: 200 }, () => {
    const startedAtMs = performance.now();
    run();
    return performance.now() - startedAtMs;
  });
  return median(times);
}

async function measureConnections(at: Server, signal: AbortSignal) {
  globalThis.gc?.();
  const heapBeforeMb = heapMb();
  await using backends = new AsyncDisposableStack();
  // One reading each; small ones would do, but there is one backend.
  for (let index = 0; index < CONNECTIONS; index++) {
    const subject = backends.use(open(at, `backend-${index}`));
    await subject.observe(QUESTION, signal);
  }
  globalThis.gc?.();
  const heapKb = ((heapMb() - heapBeforeMb) * 1_024) / CONNECTIONS;
  const idleMs = await cpuMs(() => new Promise((resolve) => setTimeout(resolve, IDLE_MS)));
  return { heapKb, cpuPercent: (idleMs / IDLE_MS) * 100 };
}
