import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { systemClock } from '@reattach/core';
import { generateKeyPair } from '@reattach/rds-sim';
import ssh2, { type ServerConfig } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { createSshDial } from './dial-ssh.ts';
import { fingerprintOf, parseHostKeyPin } from './host-key-pin.ts';
import { startHostileSshServer } from './testing/hostile-ssh-server.ts';

const NEVER = new AbortController().signal;
const TEST_TIMEOUT_MS = 120_000;
const CLIENT = generateKeyPair();
const ED25519 = generateKeyPair();
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs1',
  format: 'pem',
}) as string;

/** What a dial of 127.0.0.1 with this pin ended with. */
async function dialled(port: number, hostKey: string): Promise<string> {
  const dial = createSshDial({
    host: '127.0.0.1',
    port,
    user: 'reattach',
    privateKey: CLIENT.privateKey,
    hostKey: parseHostKeyPin(hostKey),
    commandTimeoutMs: 60_000,
    clock: systemClock,
  });
  try {
    const session = await dial(NEVER);
    await session.close();
    return 'connected';
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

/** The end of a dial to an ssh2 server that admits every user. */
async function dialledServer(config: ServerConfig, hostKey: string): Promise<string> {
  const server = new ssh2.Server(config, (connection) => {
    connection.on('error', () => undefined); // the client refused it
    connection.on('authentication', (attempt) => attempt.accept());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const address = server.address();
    return await dialled(typeof address === 'object' && address ? address.port : 0, hostKey);
  } finally {
    server.close();
  }
}

function rsaFingerprint(): string {
  const key = ssh2.utils.parseKey(RSA);
  if (key instanceof Error) throw key;
  return fingerprintOf(key.getPublicSSH());
}

describe('createSshDial', { timeout: TEST_TIMEOUT_MS }, () => {
  it('refuses a peer that offers only group exchange before it computes anything', async () => {
    await using peer = await startHostileSshServer();
    expect(await dialled(peer.port, ED25519.publicKey)).toMatch(/UNAVAILABLE: .*no matching key exchange/);
    expect(peer.connections()).toBe(1);
  });

  it.each([
    ['kex', 'diffie-hellman-group14-sha1', 'key exchange'],
    ['kex', 'diffie-hellman-group16-sha512', 'key exchange'],
    ['cipher', 'aes128-cbc', 'cipher'],
    ['compress', 'zlib@openssh.com', 'compression'],
  ] as const)('refuses a server whose only %s is %s', async (kind, algorithm, what) => {
    const config = { hostKeys: [ED25519.privateKey], algorithms: { [kind]: [algorithm] } };
    expect(await dialledServer(config, ED25519.publicKey)).toMatch(new RegExp(`no matching .*${what}`));
  });

  it('refuses a server whose only MAC is SHA-1', async () => {
    const algorithms: ServerConfig['algorithms'] = { cipher: ['aes128-ctr'], hmac: ['hmac-sha1'] };
    const message = await dialledServer({ hostKeys: [ED25519.privateKey], algorithms }, ED25519.publicKey);
    expect(message).toMatch(/no matching .*MAC/);
  });

  it('refuses SHA-1 signatures for a pinned fingerprint, and takes SHA-2 ones of the same key', async () => {
    const hostKeys = [RSA];
    const sha1: ServerConfig['algorithms'] = { serverHostKey: ['ssh-rsa'] };
    expect(await dialledServer({ hostKeys, algorithms: sha1 }, rsaFingerprint())).toMatch(/^BAD_HOST_KEY/);
    expect(await dialledServer({ hostKeys }, rsaFingerprint())).toBe('connected');
  });

  it.each([
    ['another key of the same type', generateKeyPair().privateKey],
    ['a key of another type', RSA],
  ])('reports BAD_HOST_KEY for %s', async (_, hostKey) => {
    expect(await dialledServer({ hostKeys: [hostKey] }, ED25519.publicKey)).toMatch(/^BAD_HOST_KEY: /);
  });

  it('connects with each algorithm offered', async () => {
    for (const kex of ['curve25519-sha256', 'ecdh-sha2-nistp256', 'diffie-hellman-group14-sha256'] as const) {
      const config: ServerConfig = { hostKeys: [ED25519.privateKey], algorithms: { kex: [kex] } };
      expect(await dialledServer(config, ED25519.publicKey)).toBe('connected');
    }
  });
});
