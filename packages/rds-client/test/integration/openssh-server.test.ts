import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ipAddresses } from '@reattach/core';
import { FakeClock } from '@reattach/core/testing';
import { generateKeyPair, type RdsSim } from '@reattach/rds-sim';
import { describe, expect, it } from 'vitest';
import { createRdsBackend } from '../../src/index.ts';
import { until } from '../support/turns.ts';
import { ABOUT_A, DROP_RULE, NEVER, startSim } from './backend-fixture.ts';

/** `$SSHD`, else where distributions put it. sshd re-executes itself and wants an absolute path. */
const SSHD = [process.env['SSHD'], '/usr/sbin/sshd', '/usr/local/sbin/sshd'].find(
  (path) => path !== undefined && existsSync(path),
);

async function listening(server: Server, at: string | number): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.once('listening', resolve);
  if (typeof at === 'string') server.listen(at);
  else server.listen(at, '127.0.0.1');
  await promise;
  return server;
}

async function freePort(): Promise<number> {
  const server = await listening(createServer(), 0);
  const address = server.address();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  await promise;
  return typeof address === 'object' && address ? address.port : 0;
}

/** Each command starts a process, ms. */
const TEST_TIMEOUT_MS = 60_000;

/** OpenSSH's server, whose every command is carried out by `sim`. */
async function startSshd(
  sim: RdsSim,
  publicKey: string,
  hostKey: string,
): Promise<AsyncDisposable & { port: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'reattach-sshd-'));
  const socket = join(folder, 'socket');
  const commands = await listening(
    createServer({ allowHalfOpen: true }, (peer) => {
      let command = '';
      peer.on('data', (chunk) => void (command += String(chunk)));
      peer.on('end', () => peer.end(sim.run(command)));
    }),
    socket,
  );
  const port = await freePort();
  const forward = `const s = require('node:net').connect(${JSON.stringify(socket)}); s.end(process.env.SSH_ORIGINAL_COMMAND); s.pipe(process.stdout);`;
  const config = `
ListenAddress 127.0.0.1
Port ${port}
HostKey ${folder}/host-key
AuthorizedKeysFile ${folder}/authorized-keys
PidFile none
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
ForceCommand ${process.execPath} ${folder}/forward.cjs
`;
  await writeFile(join(folder, 'forward.cjs'), forward);
  await writeFile(join(folder, 'host-key'), hostKey, { mode: 0o600 });
  await writeFile(join(folder, 'authorized-keys'), `${publicKey}\n`);
  await writeFile(join(folder, 'config'), config);
  // What an init script does before sshd; without it a root's sshd refuses to start.
  if (userInfo().uid === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const sshd = spawn(SSHD ?? '', ['-D', '-e', '-f', join(folder, 'config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = Promise.withResolvers<void>();
  sshd.once('exit', () => ended.resolve());
  const said: string[] = [];
  for await (const line of createInterface({ input: sshd.stderr })) {
    said.push(line);
    if (line.startsWith('Server listening')) break;
  }
  if (!said.at(-1)?.startsWith('Server listening')) throw new Error(`sshd did not start: ${said.join('; ')}`);
  sshd.stderr.resume();
  return {
    port,
    async [Symbol.asyncDispose]() {
      sshd.kill();
      await ended.promise;
      commands.close();
      await rm(folder, { recursive: true });
    },
  };
}

describe.skipIf(SSHD === undefined)('OpenSSH sshd (skipped where there is none; $SSHD names another)', () => {
  it(
    'carries the whole dialogue',
    async () => {
      const clock = new FakeClock();
      const client = generateKeyPair();
      const host = generateKeyPair();
      await using sim = await startSim(clock);
      sim.run(DROP_RULE);
      sim.device.addHost({ name: 'node-a', addresses: ['10.0.5.1'] }).connect('pvc-a');
      await using sshd = await startSshd(sim, client.publicKey, host.privateKey);
      await using backend = createRdsBackend({
        name: 'rds-1',
        host: '127.0.0.1',
        port: sshd.port,
        user: userInfo().username,
        privateKey: client.privateKey,
        hostKey: host.publicKey,
        clock,
      });
      backend.start(NEVER);
      await until(() => backend.lastReading !== undefined);
      const fence = { id: '00c0ffee', nodeName: 'node-a', addresses: [], fencedAtMs: clock.now() };
      await backend.fence(fence, ipAddresses(['10.0.5.1']), NEVER);
      const reading = await backend.observe(ABOUT_A, NEVER);
      expect(reading.evidence.get('node-a')).toMatchObject({ kind: 'live' });
      expect(reading).toMatchObject({
        guard: { kind: 'enforced' },
        fences: [{ ...fence, addresses: ['10.0.5.1'] }],
      });
      await backend.unfence(
        { ...fence, addresses: ipAddresses(['10.0.5.1']), inForce: [], seenSinceMs: 0 },
        NEVER,
      );
      expect(sim.device.addressList.entries).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});
