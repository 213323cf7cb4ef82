import { describe, expect, it } from 'vitest';
import { claimOf, DEMOCRATIC_CSI, findExport } from './volume-names.ts';

const volume = (volumeAttributes: Record<string, string>) => ({ volumeHandle: 'b', volumeAttributes });

const TARGET = new Set(['10.0.0.10', 'fd00::10', 'nas.example.org']);

describe('claimOf', () => {
  it.each([
    [{}, 'unnamed'],
    [{ transports: 'tcp://10.0.0.10:4420' }, 'mine'],
    [{ transport: 'tcp://10.0.0.10:4420' }, 'mine'],
    [{ transports: 'tcp://[FD00:0::10]:4420' }, 'mine'],
    [{ transports: 'tcp://NAS.example.org:4420?ctrl-loss-tmo=60' }, 'mine'],
    [{ transports: 'tcp://10.0.0.10:4420,tcp://[fd00::10]:4420' }, 'mine'],
    [{ transports: 'tcp://10.0.0.10:4420,tcp://10.0.0.99:4420' }, 'other'],
    [{ transports: 'rdma://10.0.0.10:4420' }, 'other'],
    [{ transports: 'tcp://10.0.0.99:4420' }, 'other'],
    [{ transports: 'nonsense://' }, 'other'],
  ])('%j -> %s', (volumeAttributes, expected) => {
    expect(claimOf({ volumeAttributes }, DEMOCRATIC_CSI, TARGET)).toBe(expected);
  });
});

describe('findExport', () => {
  const exports = [
    { nqn: 'nqn.a', nsid: '1', devicePath: '/dev/a1', ports: [4420] },
    { nqn: 'nqn.a', nsid: '2', devicePath: '/dev/a2', ports: [4420] },
    { nqn: 'nqn.b', nsid: '1', devicePath: '/dev/b1', ports: [4420] },
  ];

  it.each([
    ['by NQN and namespace id', volume({ nqn: 'nqn.a', nsid: '2' }), DEMOCRATIC_CSI, '/dev/a2'],
    ['by NQN alone', volume({ nqn: 'nqn.b' }), DEMOCRATIC_CSI, '/dev/b1'],
    ['not when the NQN has several namespaces', volume({ nqn: 'nqn.a' }), DEMOCRATIC_CSI, undefined],
    ['not without an NQN', volume({}), DEMOCRATIC_CSI, undefined],
    ['by a template', volume({}), { ...DEMOCRATIC_CSI, nqnTemplate: 'nqn.{volumeHandle}' }, '/dev/b1'],
  ])('finds a volume %s', (_, given, naming, expected) => {
    expect(findExport(given, naming, exports)?.devicePath).toBe(expected);
  });
});
