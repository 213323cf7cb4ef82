import { FakeClock, persistentVolumeFact } from '@reattach/core/testing';
import { generateKeyPair } from '@reattach/rds-sim';
import { describe, expect, it } from 'vitest';
import { createRdsBox } from './create-rds-box.ts';
import type { RdsBox } from './rds-box.ts';
import { RdsFleet } from './rds-fleet.ts';

const { privateKey, publicKey } = generateKeyPair();

function box(name: string, host: string, storageAddresses?: readonly string[]): RdsBox {
  const addresses = storageAddresses && { storageAddresses };
  return createRdsBox({
    name,
    host,
    user: 'reattach',
    privateKey,
    hostKey: publicKey,
    clock: new FakeClock(),
    ...addresses,
  });
}

const ONE = box('one', '10.0.0.10');
const TWO = box('two', 'rds2.example', ['10.0.0.20', '10.1.0.20']);

function boxOf(fleet: RdsFleet, volumeAttributes: Record<string, string>): string | undefined {
  return fleet.boxOf(persistentVolumeFact({ volumeAttributes }))?.name;
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
    expect(boxOf(new RdsFleet([ONE, TWO]), attributes)).toBe(name);
  });

  it('gives a volume that names no box to the only one', () => {
    expect(boxOf(new RdsFleet([ONE]), {})).toBe('one');
    expect(boxOf(new RdsFleet([ONE]), { address: '10.0.0.20' })).toBeUndefined();
    expect(boxOf(new RdsFleet([]), {})).toBeUndefined();
  });

  it('compares names regardless of case', () => {
    const named = box('three', 'RDS3.example');
    expect(boxOf(new RdsFleet([named]), { address: 'rds3.Example' })).toBe('three');
  });

  it('refuses boxes that cannot be told apart', () => {
    expect(() => new RdsFleet([ONE, box('one', '10.0.0.11')])).toThrow(/same name/);
    expect(() => new RdsFleet([ONE, box('other', '10.0.0.10')])).toThrow(/same address/);
  });
});
