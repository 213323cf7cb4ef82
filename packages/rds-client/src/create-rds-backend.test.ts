import { FakeClock } from '@reattach/core/testing';
import { generateKeyPair } from '@reattach/rds-sim';
import { describe, expect, it } from 'vitest';
import { createRdsBackend, type RdsBackendOptions } from './create-rds-backend.ts';

const { privateKey, publicKey } = generateKeyPair();

const OPTIONS: RdsBackendOptions = {
  name: 'rds-1',
  host: '10.0.0.10',
  user: 'reattach',
  privateKey,
  hostKey: publicKey,
  clock: new FakeClock(),
};

describe('createRdsBackend', () => {
  it('makes a backend that is not connected and is named by its host', () => {
    const backend = createRdsBackend(OPTIONS);
    expect(backend).toMatchObject({ name: 'rds-1', storageAddresses: ['10.0.0.10'], lastReading: undefined });
    expect(backend.health()).toEqual({ connected: false, detail: 'the connection is idle' });
  });

  it.each<[string, Partial<RdsBackendOptions>, RegExp]>([
    ['port', { port: 0 }, /port must be an integer from 1 to 65535, not 0/],
    ['activityWindowMs', { activityWindowMs: 1.5 }, /activityWindowMs/],
    ['idlePollMs', { idlePollMs: -1 }, /idlePollMs/],
    ['commandTimeoutMs', { commandTimeoutMs: Number.NaN }, /commandTimeoutMs/],
    ['name', { name: '' }, /name must not be empty/],
    ['host', { host: '' }, /host must not be empty/],
    ['user', { user: '' }, /user must not be empty/],
    ['hostKey', { hostKey: 'any' }, /SHA256/],
    [
      'a private key that is none',
      { privateKey: 'secret' },
      /Private key cannot be used: Unsupported key format/,
    ],
    ['a public key', { privateKey: publicKey }, /it is a public key/],
  ])('refuses a bad %s', (_, options, problem) => {
    expect(() => createRdsBackend({ ...OPTIONS, ...options })).toThrow(problem);
    expect(() => createRdsBackend({ ...OPTIONS, ...options })).toThrow(/^BAD_CONFIG: /);
  });
});
