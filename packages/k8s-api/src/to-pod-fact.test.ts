import { describe, expect, it } from 'vitest';
import { toPodFact } from './to-pod-fact.ts';

const metadata = { namespace: 'web', name: 'web-0', uid: 'p1' };

describe('toPodFact', () => {
  it('names claims once each, those of ephemeral volumes too', () => {
    const volumes = [
      { name: 'data', persistentVolumeClaim: { claimName: 'data-web-0' } },
      { name: 'again', persistentVolumeClaim: { claimName: 'data-web-0' } },
      { name: 'scratch', ephemeral: { volumeClaimTemplate: {} } },
      { name: 'config', configMap: { name: 'c' } },
    ];
    expect(toPodFact({ metadata, spec: { nodeName: 'node-a', volumes } })?.claimNames).toEqual([
      'data-web-0',
      'web-0-scratch',
    ]);
  });

  it.each([
    [
      'hostIPs',
      { hostIP: '10.0.0.1', hostIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] },
      ['10.0.0.1', 'fd00::1'],
    ],
    ['hostIP of older kubelets', { hostIP: '10.0.0.1' }, ['10.0.0.1']],
    ['neither', {}, []],
  ])('reads the addresses of its node from %s', (_what, status, expected) => {
    expect(toPodFact({ metadata, spec: { nodeName: 'node-a' }, status })?.hostAddresses).toEqual(expected);
  });

  it('names the owner that controls it, not one that merely owns it', () => {
    const ownerReferences = [
      { kind: 'Backup', name: 'nightly' },
      { kind: 'StatefulSet', name: 'web', controller: true },
    ];
    const raw = { metadata: { ...metadata, ownerReferences }, spec: { nodeName: 'node-a' } };
    expect(toPodFact(raw)?.controller).toEqual({ kind: 'StatefulSet', name: 'web' });
    expect(toPodFact({ metadata, spec: { nodeName: 'node-a' } })).not.toHaveProperty('controller');
  });

  it('names storage that the Pod uses without a claim and that has one writer', () => {
    const volumes = [
      { name: 'lun', iscsi: { targetPortal: '10.0.0.9' } },
      { name: 'share', nfs: { server: 's' } },
      { name: 'token', projected: {} },
      { name: 'secret', csi: { driver: 'secrets.test' } },
    ];
    expect(toPodFact({ metadata, spec: { nodeName: 'node-a', volumes } })?.directVolumes).toEqual([
      'lun (iscsi)',
    ]);
    expect(toPodFact({ metadata, spec: { nodeName: 'node-a' } })).not.toHaveProperty('directVolumes');
  });

  it('names its finalizers', () => {
    const raw = { metadata: { ...metadata, finalizers: ['backup.test/done'] }, spec: { nodeName: 'node-a' } };
    expect(toPodFact(raw)?.finalizers).toEqual(['backup.test/done']);
    expect(toPodFact({ metadata, spec: { nodeName: 'node-a' } })).not.toHaveProperty('finalizers');
  });

  it.each([
    [undefined, undefined],
    [30, undefined],
    [0, true],
  ])('with a deletion grace of %s s -> deleted at once: %s', (deletionGracePeriodSeconds, expected) => {
    const deletion = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds };
    const raw = { metadata: { ...metadata, ...deletion }, spec: { nodeName: 'node-a' } };
    expect(toPodFact(raw)?.deletedAtOnce).toBe(expected);
  });

  it('says nothing about a Pod without a node', () => {
    expect(toPodFact({ metadata, spec: {} })).toBeUndefined();
  });
});
