import { podFact } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { toLiveMigration, vmiOf } from './live-migration.ts';

const migration = (phase?: string) => ({
  metadata: { namespace: 'vms', name: 'move', uid: 'u' },
  spec: { vmiName: 'db' },
  ...(phase !== undefined && { status: { phase } }),
});

const hotplug = (namespace: string, owner: string) =>
  podFact({ namespace, controller: { kind: 'Pod', name: owner } });

describe('toLiveMigration', () => {
  it.each([
    [undefined, true],
    ['Pending', true],
    ['Running', true],
    ['Succeeded', false],
    ['Failed', false],
  ])('phase %s -> active %s', (phase, active) => {
    expect(toLiveMigration(migration(phase))).toEqual({ uid: 'u', vmi: 'vms/db', active });
  });

  it.each([undefined, null, 3, {}, { metadata: { namespace: 'vms' } }, { spec: { vmiName: 'db' } }])(
    'finds none in %j',
    (raw) => expect(toLiveMigration(raw)).toBeUndefined(),
  );
});

describe('vmiOf', () => {
  const launcher = podFact({
    namespace: 'vms',
    name: 'virt-launcher-db-x',
    controller: { kind: 'VirtualMachineInstance', name: 'db' },
  });
  const find = (namespace: string, name: string) =>
    namespace === launcher.namespace && name === launcher.name ? launcher : undefined;
  it.each([
    ['a virt-launcher pod', launcher, 'vms/db'],
    ['a hot-plug pod of it', hotplug('vms', launcher.name), 'vms/db'],
    ['a hot-plug pod of a pod that is gone', hotplug('vms', 'gone'), undefined],
    ['a pod of the same owner name elsewhere', hotplug('other', launcher.name), undefined],
    ['a StatefulSet pod', podFact(), undefined],
  ])('%s -> %3$s', (_name, pod, expected) => {
    expect(vmiOf(pod, find)).toBe(expected);
  });
});
