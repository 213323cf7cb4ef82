import { generateKeyPairSync } from 'node:crypto';
import { FakeClock } from '@reattach/core/testing';
import { RdsSim } from '@reattach/rds-sim';
import ssh2 from 'ssh2';
import { describe, expect, it } from 'vitest';
import { createRdsBackend, type RdsBackendOptions } from '../../src/index.ts';
import { until } from '../support/turns.ts';
import { NEVER } from './backend-fixture.ts';

const PASSPHRASE = 'correct horse battery staple';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const plainRsa = rsa.privateKey.export({ format: 'pem', type: 'pkcs1' }).toString();
const lockedRsa = rsa.privateKey
  .export({ format: 'pem', type: 'pkcs1', cipher: 'aes-256-cbc', passphrase: PASSPHRASE })
  .toString();

function publicKeyOf(privateKey: string): string {
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error) throw key;
  return `${key.type} ${key.getPublicSSH().toString('base64')}`;
}

const OPTIONS: Omit<RdsBackendOptions, 'privateKey' | 'hostKey' | 'port'> = {
  name: 'rds-1',
  host: '127.0.0.1',
  user: 'ops',
  clock: new FakeClock(),
};

describe('a backend', () => {
  it.each([
    ['an RSA key', { privateKey: plainRsa }],
    ['an RSA key with a passphrase', { privateKey: lockedRsa, passphrase: PASSPHRASE }],
  ])('is logged in to with %s', async (_, key) => {
    const users = [{ name: 'ops', publicKeys: [publicKeyOf(plainRsa)] }];
    await using sim = await RdsSim.start({ clock: OPTIONS.clock, users });
    await using backend = createRdsBackend({ ...OPTIONS, ...key, port: sim.port, hostKey: sim.hostKey });
    backend.start(NEVER);
    await until(() => backend.lastReading !== undefined);
    expect(backend.health().connected).toBe(true);
  });

  it('with an RSA host key is recognised by it', async () => {
    const users = [{ name: 'ops', publicKeys: [publicKeyOf(plainRsa)] }];
    await using sim = await RdsSim.start({ clock: OPTIONS.clock, users, hostKey: plainRsa });
    await using backend = createRdsBackend({
      ...OPTIONS,
      privateKey: plainRsa,
      port: sim.port,
      hostKey: sim.hostKey,
    });
    backend.start(NEVER);
    await until(() => backend.lastReading !== undefined);
    expect(sim.hostKey).toMatch(/^ssh-rsa /);
  });

  it.each<[string, string, string | undefined]>([
    ['a locked key without its passphrase', lockedRsa, undefined],
    ['a locked key with a wrong passphrase', lockedRsa, 'wrong'],
    [
      'an ECDSA key, which RouterOS refuses',
      generateKeyPairSync('ec', { namedCurve: 'P-256' })
        .privateKey.export({ format: 'pem', type: 'sec1' })
        .toString(),
      undefined,
    ],
  ])('is not made with %s, and the error shows no secret', (_, privateKey, passphrase) => {
    const make = () =>
      createRdsBackend({
        ...OPTIONS,
        privateKey,
        hostKey: publicKeyOf(plainRsa),
        ...(passphrase !== undefined && { passphrase }),
      });
    expect(make).toThrow(expect.objectContaining({ code: 'BAD_CONFIG', outcome: 'not-applied' }));
    expect(make).not.toThrow(privateKey.split('\n')[2] ?? '');
  });
});
