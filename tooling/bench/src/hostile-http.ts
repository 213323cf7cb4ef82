import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { delay, systemClock } from '@reattach/core';
import { type BackendAccess, Controller } from './controller.ts';
import { BACKEND_ADDRESS, DRIVER, DYING } from './failover-cluster.ts';
import { Remote } from './remote.ts';
import { printTable } from './table.ts';

/** How long the attack lasts before a node is lost, ms. */
const ATTACK_MS = 10_000;
/** Longer than the activity window and the grace after it. */
const SILENCE_MS = 4_000;
const PROBE_EVERY_MS = 100;
const PIPELINED = 'GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(16_000);
const HALF = 'GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ';
const ATTACKERS = 64;

/** The controller at 1,000 nodes and 10,000 attachments while 128 clients pipeline requests they do not read, or do not end them. */
export async function hostileHttp(): Promise<void> {
  await using kube = await Remote.fork(new URL('./failover-kube.ts', import.meta.url));
  await using backend = await Remote.fork(new URL('./failover-backend.ts', import.meta.url));
  const probePort = await freePort();
  await using controller = await Controller.start({
    kubeconfig: await kube.ask<string>('kubeconfig'),
    rds: await backend.ask<BackendAccess>('access'),
    driver: DRIVER,
    storageAddress: BACKEND_ADDRESS,
    flags: [
      '--mode=fence',
      '--breaker-max-nodes-per-window=1000',
      `--http-probe-listen=127.0.0.1:${probePort}`,
    ],
  });
  await pause(1_500); // every host has been seen live
  const dying = Array.from({ length: DYING }, (_, index) => `node-${index}`);
  for (const name of dying) await backend.ask('powerOff', name);
  await pause(SILENCE_MS);

  const failover = async (name: string): Promise<number> => {
    const written = backend.ask<number>('fenced');
    const lostAtMs = await kube.ask<number>('lose', name);
    return (await written) - lostAtMs;
  };
  const rows: string[][] = [];
  const run = async (title: string, name: string, attack?: Attack) => {
    const probes = new Probes(`http://127.0.0.1:${probePort}/livez`);
    await pause(ATTACK_MS);
    const failoverMs = await failover(name);
    const slowestMs = await probes.stop();
    await attack?.stop();
    const peak = controller.memoryMb('VmHWM');
    rows.push([title, peak.toFixed(0), slowestMs.toFixed(0), failoverMs.toFixed(0)]);
  };
  await run('warm-up', 'node-0');
  await run('undisturbed', 'node-1');
  await run('pipelined, unread', 'node-2', new Attack(controller.url, PIPELINED));
  await run('half-sent', 'node-3', new Attack(controller.url, HALF));
  printTable(`Hostile HTTP: ${ATTACKERS} clients for ${ATTACK_MS / 1_000} s, then a lost node`, [
    ['', 'peak memory, MB', 'slowest /livez, ms', 'lost -> fence, ms'],
    ...rows,
    ['goal', '< 256', '< 1000', '<= 2x undisturbed'],
  ]);
}

/** Clients that send `text`, read nothing, and come back when they are cut off. */
class Attack {
  readonly #sockets = new Set<Socket>();
  #isOver = false;

  constructor(url: string, text: string) {
    const { hostname, port } = new URL(url);
    const open = () => {
      if (this.#isOver) return;
      const socket = connect(Number(port), hostname);
      this.#sockets.add(socket);
      socket.on('error', () => undefined); // it is cut off, which is expected
      socket.once('close', () => {
        this.#sockets.delete(socket);
        setTimeout(open, 50);
      });
      socket.once('connect', () => socket.write(text));
    };
    for (let index = 0; index < ATTACKERS; index++) open();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.destroy();
    await pause(200);
  }
}

/** Asks again and again until it is stopped. */
class Probes {
  readonly #end: Promise<void>;
  #slowestMs = 0;
  #isOver = false;

  constructor(url: string) {
    this.#end = this.#run(url);
  }

  /** @returns the slowest answer, ms */
  async stop(): Promise<number> {
    this.#isOver = true;
    await this.#end;
    return this.#slowestMs;
  }

  async #run(url: string): Promise<void> {
    while (!this.#isOver) {
      const startedAtMs = performance.now();
      const response = await fetch(url);
      await response.text();
      if (!response.ok) throw new Error(`GET ${url} answered ${response.status}, expected 200`);
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - startedAtMs);
      await pause(PROBE_EVERY_MS);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

function pause(ms: number): Promise<void> {
  return delay(systemClock, ms, new AbortController().signal);
}
