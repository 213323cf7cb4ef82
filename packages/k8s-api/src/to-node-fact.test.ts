import { describe, expect, it } from 'vitest';
import { toNodeFact } from './to-node-fact.ts';

const ADDRESSES = 'reattach.srvlab.io/storage-addresses';

interface Changes {
  readonly annotations?: object;
  readonly spec?: object;
  readonly status?: object;
}

function node({ annotations, spec, status }: Changes): unknown {
  return { kind: 'Node', metadata: { name: 'node-a', uid: 'n1', annotations }, spec, status };
}

describe('toNodeFact', () => {
  it('projects everything decisions use', () => {
    const raw = {
      metadata: {
        name: 'node-a',
        uid: 'n1',
        labels: { zone: 'a' },
        annotations: {
          'reattach.srvlab.io/clean': 'fence-1',
          'reattach.srvlab.io/out-of-service-boot-id': 'csi.test/boot-1',
        },
      },
      spec: {
        taints: [
          { key: 'k', effect: 'NoSchedule' },
          { key: 'l', value: 'v', effect: 'NoExecute' },
        ],
      },
      status: {
        addresses: [
          { type: 'Hostname', address: 'node-a' },
          { type: 'InternalIP', address: '10.0.0.1' },
          { type: 'InternalIP', address: 'fd00::1' },
        ],
        conditions: [
          { type: 'MemoryPressure', status: 'True' },
          { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:01Z' },
        ],
        nodeInfo: { bootID: 'boot-2', systemUUID: 'EC2-A', machineID: 'm1' },
      },
    };
    expect(toNodeFact(raw)).toEqual({
      name: 'node-a',
      uid: 'n1',
      ready: true,
      readyChangedAtMs: Date.UTC(2026, 0, 1, 0, 0, 1),
      bootId: 'boot-2',
      machineId: 'ec2-a/m1',
      storageAddresses: ['10.0.0.1', 'fd00::1'],
      labels: { zone: 'a' },
      taints: [
        { key: 'k', effect: 'NoSchedule' },
        { key: 'l', value: 'v', effect: 'NoExecute' },
      ],
      cleanFenceId: 'fence-1',
      outOfServiceBootId: 'boot-1',
    });
  });

  it('leaves out what is absent', () => {
    expect(toNodeFact(node({}))).toEqual({
      name: 'node-a',
      uid: 'n1',
      ready: false,
      storageAddresses: [],
      labels: {},
      taints: [],
    });
  });

  it.each([
    [{ systemUUID: 'S' }, 's/'],
    [{ machineID: 'm' }, '/m'],
    [{ systemUUID: '', machineID: '' }, undefined],
  ])('names the machine of nodeInfo %j %s', (nodeInfo, machineId) => {
    expect(toNodeFact(node({ status: { nodeInfo } }))?.machineId).toBe(machineId);
  });

  it.each([['False'], ['Unknown'], [undefined]])('takes Ready %s for not ready', (status) => {
    expect(toNodeFact(node({ status: { conditions: [{ type: 'Ready', status }] } }))?.ready).toBe(false);
  });

  it.each([
    ['adds to the InternalIPs', '10.1.0.1', ['10.0.0.1', '10.1.0.1']],
    [
      'may list several, with spaces and twice',
      '10.1.0.1 ,fd00::2,10.1.0.1',
      ['10.0.0.1', '10.1.0.1', 'fd00::2'],
    ],
    ['may hold an IPv4 address written as IPv6', '::ffff:10.1.0.1,10.1.0.1', ['10.0.0.1', '10.1.0.1']],
    ['may hold a long form of an IPv6 address', 'FD00:0::02', ['10.0.0.1', 'fd00::2']],
    ['may repeat an InternalIP', '10.0.0.1', ['10.0.0.1']],
  ])('an annotation with storage addresses %s', (_what, annotation, expected) => {
    const fact = toNodeFact(nodeWith(annotation));
    expect(fact?.storageAddresses).toEqual(expected);
    expect(fact).not.toHaveProperty('unreadableAddresses');
  });

  it.each([
    ['a name', '10.1.0.1,storage.example', ['10.0.0.1', '10.1.0.1'], ['storage.example']],
    ['nothing', '', ['10.0.0.1'], ['']],
    ['a network', '10.1.0.0/16', ['10.0.0.1'], ['10.1.0.0/16']],
  ])('an annotation that names %s is reported as unreadable', (_what, annotation, readable, unreadable) => {
    expect(toNodeFact(nodeWith(annotation))).toMatchObject({
      storageAddresses: readable,
      unreadableAddresses: unreadable,
    });
  });
});

function nodeWith(annotation: string): unknown {
  return node({
    annotations: { [ADDRESSES]: annotation },
    status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] },
  });
}
