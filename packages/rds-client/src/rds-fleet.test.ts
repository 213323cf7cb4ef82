import { FakeClock, persistentVolumeFact } from '@reattach/core/testing';
import { generateKeyPair } from '@reattach/rds-sim';
import { describe, expect, it } from 'vitest';
import { createRdsBackend } from './create-rds-backend.ts';
import type { RdsBackend } from './rds-backend.ts';
import { RdsFleet } from './rds-fleet.ts';

const { privateKey, publicKey } = generateKeyPair();

function backend(name: string, host: string, storageAddresses?: readonly string[]): RdsBackend {
  const addresses = storageAddresses && { storageAddresses };
  return createRdsBackend({
    name,
    host,
    user: 'reattach',
    privateKey,
    hostKey: publicKey,
    clock: new FakeClock(),
    ...addresses,
  });
}

const ONE = backend('one', '10.0.0.10');
const TWO = backend('two', 'rds2.example', ['10.0.0.20', '10.1.0.20']);

function backendOf(fleet: RdsFleet, volumeAttributes: Record<string, string>): string | undefined {
  return fleet.backendOf(persistentVolumeFact({ volumeAttributes }))?.name;
}

describe('RdsFleet', () => {
  it.each<[Record<string, string>, string | undefined]>([
    [{ nvmeAddress: '10.0.0.10' }, 'one'],
    [{ nvmeAddress: '10.1.0.20' }, 'two'],
    [{ rdsAddress: '10.0.0.20', address: '10.0.0.10' }, 'two'],
    [{ address: '::ffff:10.0.0.10' }, 'one'],
    [{ nvmeAddress: '10.0.0.99', rdsAddress: '10.0.0.10' }, undefined],
    [{ address: 'rds2.example' }, undefined],
    [{}, undefined],
  ])('%j -> %s', (attributes, name) => {
    expect(backendOf(new RdsFleet([ONE, TWO]), attributes)).toBe(name);
  });

  it('gives a volume that names no backend to the only one', () => {
    expect(backendOf(new RdsFleet([ONE]), {})).toBe('one');
    expect(backendOf(new RdsFleet([ONE]), { address: '10.0.0.20' })).toBeUndefined();
    expect(backendOf(new RdsFleet([]), {})).toBeUndefined();
  });

  it('compares names regardless of case', () => {
    const named = backend('three', 'RDS3.example');
    expect(backendOf(new RdsFleet([named]), { address: 'rds3.Example' })).toBe('three');
  });

  it('refuses indistinguishable backends', () => {
    expect(() => new RdsFleet([ONE, backend('one', '10.0.0.11')])).toThrow(/same name/);
    expect(() => new RdsFleet([ONE, backend('other', '10.0.0.10')])).toThrow(/same address/);
  });
});
