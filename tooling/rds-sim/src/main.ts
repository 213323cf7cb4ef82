import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { systemClock } from '@reattach/core';
import { Playground } from './playground.ts';
import { RdsSim } from './rds-sim.ts';

/** `pnpm rds-sim`: a device to log in to with plain `ssh`, with hosts that write to it. Commands on stdin, Ctrl-C ends. */

const HELP = `Usage: pnpm rds-sim [--port 2222] [--latency-ms 0] [--ros-version '7.24.2 (stable)'] [--chaos SEED]

  --port         where SSH listens on 127.0.0.1; default: a free port
  --latency-ms   what every command takes
  --ros-version  what /system/resource shows
  --chaos        about every 20 s something goes wrong, for a day, equal for equal seeds
`;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    'latency-ms': { type: 'string', default: '0' },
    'ros-version': { type: 'string' },
    chaos: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else await main();

async function main(): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  await using sim = await RdsSim.start({
    port: wholeNumber('--port', values.port, 65_535),
    latencyMs: wholeNumber('--latency-ms', values['latency-ms'], 60_000),
    ...(values['ros-version'] !== undefined && { version: values['ros-version'] }),
  });
  using playground = new Playground(sim, systemClock);
  await using keys = await writeKeys(sim);
  if (values.chaos !== undefined) {
    playground.startChaos(wholeNumber('--chaos', values.chaos, 2 ** 32 - 1), (text) => print(`! ${text}`));
  }
  print(`A ROSE Data Server listens on ${sim.host}:${sim.port}, host key ${sim.hostKeyFingerprint}\n`);
  print(`  ${keys.command} /disk/print`);
  print(`  ${keys.command} '/ip/firewall/address-list/add list=reattach-fenced address=10.0.5.1'\n`);
  print(playground.help);
  print(playground.execute('status'));
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => print(playground.execute(line)));
  await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
  input.close();
}

/** Puts key and host key where `ssh` finds them. */
async function writeKeys(sim: RdsSim): Promise<AsyncDisposable & { readonly command: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'rds-sim-'));
  const [identity, knownHosts] = [join(folder, 'id'), join(folder, 'known_hosts')];
  await writeFile(identity, sim.credentials.privateKey, { mode: 0o600 });
  await writeFile(knownHosts, `[${sim.host}]:${sim.port} ${sim.hostKey}\n`);
  const options = `-i ${identity} -o IdentitiesOnly=yes -o UserKnownHostsFile=${knownHosts}`;
  return {
    command: `ssh -p ${sim.port} ${options} ${sim.credentials.username}@${sim.host}`,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** @throws {TypeError} for anything but a whole number from 0 to `max`. */
function wholeNumber(option: string, text: string, max: number): number {
  if (/^\d+$/.test(text) && Number(text) <= max) return Number(text);
  throw new TypeError(`${option}: expected a whole number from 0 to ${max}, got ${text}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
