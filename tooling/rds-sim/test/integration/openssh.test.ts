import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { generateKeyPair, RdsSim } from '../../src/index.ts';

interface SshResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const CLIENT = await run('ssh', ['-V']).catch(() => undefined);

async function run(command: string, args: readonly string[]): Promise<SshResult> {
  const { promise, resolve, reject } = Promise.withResolvers<SshResult>();
  execFile(command, args, (err, stdout, stderr) => {
    if (err && typeof err.code !== 'number') reject(err);
    else resolve({ status: typeof err?.code === 'number' ? err.code : 0, stdout, stderr });
  });
  return await promise;
}

/** Runs the system's `ssh` without a terminal. @param hostKey which key the box is expected to have. */
async function ssh(sim: RdsSim, command: string, hostKey = sim.hostKey): Promise<SshResult> {
  const folder = await mkdtemp(join(tmpdir(), 'rds-sim-'));
  try {
    const [identity, knownHosts] = [join(folder, 'id'), join(folder, 'known_hosts')];
    await writeFile(identity, sim.credentials.privateKey, { mode: 0o600 });
    await writeFile(knownHosts, `[${sim.host}]:${sim.port} ${hostKey}\n`);
    const options = [
      'BatchMode=yes',
      'IdentitiesOnly=yes',
      'IdentityAgent=none',
      'LogLevel=ERROR',
      'StrictHostKeyChecking=yes',
      `UserKnownHostsFile=${knownHosts}`,
    ].flatMap((option) => ['-o', option]);
    const target = `${sim.credentials.username}@${sim.host}`;
    return await run('ssh', [
      '-F',
      'none',
      '-i',
      identity,
      '-p',
      String(sim.port),
      ...options,
      target,
      command,
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('the OpenSSH client', () => {
  it('logs in with its key and gets output and status', async ({ skip }) => {
    skip(!CLIENT, 'there is no ssh on the PATH: install openssh-client');
    await using sim = await RdsSim.start({ clock: new FakeClock(), errorExitStatus: 1 });
    expect(await ssh(sim, ':put [/system/identity get name]; :put "END-1"')).toEqual({
      status: 0,
      stdout: 'MikroTik-RDS\r\nEND-1\r\n',
      stderr: '',
    });
    expect(await ssh(sim, '/disk get no-such slot; :put "END-1"')).toEqual({
      status: 1,
      stdout: 'no such item\r\n',
      stderr: '',
    });
  });

  it('refuses another host key than the one it knows', async ({ skip }) => {
    skip(!CLIENT, 'there is no ssh on the PATH: install openssh-client');
    await using sim = await RdsSim.start({ clock: new FakeClock() });
    const result = await ssh(sim, ':put a', generateKeyPair().publicKey);
    expect(result).toMatchObject({ status: 255, stdout: '' });
    expect(result.stderr).toContain('Host key verification failed');
    expect(sim.commands.total).toBe(0);
  });
});
