import { describe, expect, it } from 'vitest';
import { nodeAddressesCheck } from './node-addresses-check.ts';

describe('nodeAddressesCheck', () => {
  it.each([
    ['IPv4', ['10.0.0.1'], 'fence', 'ok', 'Known for all 1 nodes'],
    ['IPv4 written as IPv6', ['::ffff:10.0.0.1'], 'fence', 'ok', 'Known for all 1 nodes'],
    ['none', [], 'observe', 'failed', 'Not known for node-a'],
    ['dual-stack', ['10.0.0.1', 'fd00::1'], 'fence', 'failed', 'fences are IPv4 only'],
    ['dual-stack', ['10.0.0.1', 'fd00::1'], 'observe', 'warning', 'fences are IPv4 only'],
    ['IPv6 only', ['fd00::1'], 'observe', 'failed', 'IPv6 only'],
  ] as const)('%s %j in mode %s -> %s', (_what, storageAddresses, mode, state, detail) => {
    const check = nodeAddressesCheck([{ name: 'node-a', storageAddresses }], mode);
    expect(check).toMatchObject({ state, detail: expect.stringContaining(detail) });
  });

  it('says everything at once', () => {
    const check = nodeAddressesCheck(
      [
        { name: 'node-a', storageAddresses: [] },
        { name: 'node-b', storageAddresses: ['fd00::1'] },
        { name: 'node-c', storageAddresses: ['10.0.0.1', 'fd00::2'] },
      ],
      'observe',
    );
    for (const name of ['node-a', 'node-b', 'node-c']) expect(check.detail).toContain(name);
    expect(check.fix).toContain('IPv4');
  });
});
