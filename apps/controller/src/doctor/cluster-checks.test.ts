import type { NodeFact, PersistentVolumeFact, StorageFleet, VolumeAttachmentFact } from '@reattach/core';
import { describe, expect, it } from 'vitest';
import { addressConflictCheck } from './address-conflict-check.ts';
import type { DriverFact, Read } from './cluster-facts.ts';
import { driverCheck } from './driver-check.ts';
import { versionCheck } from './kubernetes-version-check.ts';
import { nodeClocksCheck } from './node-clocks-check.ts';
import { volumesCheck } from './volumes-check.ts';

function node(name: string, ...storageAddresses: readonly string[]): NodeFact {
  return { name, uid: `uid-${name}`, ready: true, storageAddresses, labels: {}, taints: [] };
}

const present = (attachRequired: boolean): Read<DriverFact> => ({
  ok: true,
  value: { kind: 'present', attachRequired },
});

const attachments = (...attachers: readonly string[]): Read<readonly VolumeAttachmentFact[]> => ({
  ok: true,
  value: attachers.map((attacher, index) => ({
    name: `va-${index}`,
    uid: `uid-${index}`,
    attacher,
    nodeName: 'node-a',
    attached: true,
    createdAtMs: 0,
  })),
});

const volume = (name: string, driver = 'ours'): PersistentVolumeFact => ({
  name,
  uid: `uid-${name}`,
  driver,
  volumeHandle: name,
  volumeAttributes: { nvmeAddress: '10.9.9.9' },
  accessModes: ['ReadWriteOnce'],
});

describe('versionCheck', () => {
  it.each([
    ['v1.33.1', 'auto', 'ok'],
    ['v1.26.0+k3s1', 'out-of-service', 'ok'],
    ['v1.25.16', 'out-of-service', 'warning'],
    ['v1.25.16', 'auto', 'ok'],
    ['v1.18.0', 'auto', 'warning'],
    ['unknown', 'auto', 'warning'],
  ] as const)('%s with strategy %s -> %s', (gitVersion, strategy, state) => {
    const check = versionCheck(gitVersion, { strategy });
    expect(check.state).toBe(state);
    expect(check.fix !== undefined).toBe(state !== 'ok');
  });
});

describe('driverCheck', () => {
  it.each([
    ['a CSIDriver that requires attaching', present(true), attachments(), 'ok'],
    ['attachRequired: false', present(false), attachments(), 'failed'],
    [
      'neither CSIDriver nor VolumeAttachment',
      { ok: true, value: 'missing' },
      attachments('other'),
      'failed',
    ],
    ['no CSIDriver, but VolumeAttachments', { ok: true, value: 'missing' }, attachments('ours'), 'ok'],
    ['forbidden, with VolumeAttachments', { ok: true, value: 'forbidden' }, attachments('ours'), 'ok'],
    ['forbidden, without VolumeAttachments', { ok: true, value: 'forbidden' }, attachments(), 'warning'],
    ['an answer that failed', { ok: false, err: new Error('cut') }, attachments(), 'warning'],
  ] as const)('%s -> %s', (_what, driver, listed, state) => {
    const check = driverCheck('ours', { driver, attachments: listed }, 'fence');
    expect(check.state).toBe(state);
    expect(check.fix !== undefined).toBe(state !== 'ok');
  });
});

describe('volumesCheck', () => {
  const fleet: StorageFleet = {
    backends: [],
    backendOf: ({ name }) => (name.startsWith('known') ? ({} as never) : undefined),
  };

  it('is content when each volume of the driver names a backend', () => {
    expect(volumesCheck([volume('known-1'), volume('x', 'other')], 'ours', fleet, 'fence').state).toBe('ok');
  });

  it('names the volumes that no configured backend holds, and the address that they name', () => {
    const check = volumesCheck([volume('known-1'), volume('lost-1')], 'ours', fleet, 'fence');
    expect(check.state).toBe('failed');
    expect(check.detail).toContain('1 of 2');
    expect(check.detail).toContain('lost-1; the first says nvmeAddress=10.9.9.9');
    expect(check.fix).toContain('storageAddresses');
  });

  it('warns in mode observe, and when the driver has no volume', () => {
    expect(volumesCheck([volume('lost-1')], 'ours', fleet, 'observe').state).toBe('warning');
    expect(volumesCheck([volume('x', 'other')], 'ours', fleet, 'fence').state).toBe('warning');
  });
});

describe('addressConflictCheck', () => {
  const policy = { allowedCidrs: [], reserved: [{ address: '10.0.0.10', claimant: 'backend west' }] };

  it('is content with an address for each node', () => {
    const nodes = [node('a', '10.0.0.11'), node('b', '10.0.0.12')];
    expect(addressConflictCheck(nodes, policy, 'fence').state).toBe('ok');
  });

  it.each([
    ['two nodes with one address', [node('a', '10.0.0.11'), node('b', '10.0.0.11')], 'node a and by node b'],
    ['the address of a backend', [node('a', '10.0.0.10')], 'backend west'],
  ])('fails for %s and names both', (_what, nodes, words) => {
    const check = addressConflictCheck(nodes, policy, 'fence');
    expect(check).toMatchObject({ state: 'failed', detail: expect.stringContaining(words) });
    expect(check.fix).toContain('storage-addresses');
  });

  it('fails for an address outside storage.allowedCidrs', () => {
    const check = addressConflictCheck(
      [node('a', '192.168.1.1')],
      { allowedCidrs: ['10.0.0.0/8'], reserved: [] },
      'fence',
    );
    expect(check).toMatchObject({ state: 'failed', detail: expect.stringContaining('storage.allowedCidrs') });
  });
});

describe('nodeClocksCheck', () => {
  const nowMs = 1_000_000;

  it.each([
    ['renewed 8 s ago', nowMs - 8_000, 'ok'],
    ['renewed in 4 s', nowMs + 4_000, 'ok'],
    ['renewed in a minute', nowMs + 60_000, 'warning'],
    ['renewed 5 minutes ago', nowMs - 300_000, 'warning'],
    ['never renewed', Number.NaN, 'ok'],
  ])('%s -> %s', (_what, renewedMs, state) => {
    const check = nodeClocksCheck([node('a')], new Map([['a', renewedMs]]), nowMs);
    expect(check.state).toBe(state);
  });

  it('leaves nodes that are not Ready out: their Leases are old for another reason', () => {
    const lost = { name: 'a', ready: false };
    expect(nodeClocksCheck([lost], new Map([['a', 0]]), nowMs).state).toBe('ok');
  });
});
