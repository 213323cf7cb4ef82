import { describe, expect, it } from 'vitest';
import { toLeaseFact } from './to-lease-fact.ts';
import { toPersistentVolumeFact } from './to-persistent-volume-fact.ts';
import { toVolumeAttachmentFact } from './to-volume-attachment-fact.ts';

const metadata = { name: 'a', uid: 'u1', creationTimestamp: '2026-01-01T00:00:00Z' };

describe('toPersistentVolumeFact', () => {
  it('projects a CSI volume and its claim', () => {
    const spec = {
      accessModes: ['ReadWriteOnce', 'ReadWriteMany'],
      claimRef: { namespace: 'web', name: 'data', uid: 'c1' },
      csi: { driver: 'csi.test', volumeHandle: 'h', volumeAttributes: { nqn: 'n' } },
    };
    expect(toPersistentVolumeFact({ metadata, spec })).toEqual({
      name: 'a',
      uid: 'u1',
      driver: 'csi.test',
      volumeHandle: 'h',
      volumeAttributes: { nqn: 'n' },
      accessModes: ['ReadWriteOnce', 'ReadWriteMany'],
      claim: { namespace: 'web', name: 'data', uid: 'c1' },
    });
  });

  it('projects a volume that is neither CSI nor bound', () => {
    expect(toPersistentVolumeFact({ metadata, spec: { nfs: {} } })).toEqual({
      name: 'a',
      uid: 'u1',
      volumeAttributes: {},
      accessModes: [],
      source: 'nfs',
    });
  });

  it.each([
    ['Released', true],
    ['Failed', true],
    ['Bound', undefined],
    ['Available', undefined],
  ])('says of phase %s whether the claim was deleted: %s', (phase, released) => {
    expect(toPersistentVolumeFact({ metadata, spec: {}, status: { phase } })?.released).toBe(released);
  });
});

describe('toVolumeAttachmentFact', () => {
  const spec = { attacher: 'csi.test', nodeName: 'node-a', source: { persistentVolumeName: 'pv' } };

  it('projects one that is attached and being deleted', () => {
    const raw = {
      metadata: {
        ...metadata,
        deletionTimestamp: '2026-01-01T00:00:05Z',
        annotations: { 'reattach.srvlab.io/confirmed-off': 'f1' },
      },
      spec,
      status: { attached: true },
    };
    expect(toVolumeAttachmentFact(raw)).toEqual({
      name: 'a',
      uid: 'u1',
      attacher: 'csi.test',
      nodeName: 'node-a',
      persistentVolumeName: 'pv',
      attached: true,
      createdAtMs: Date.UTC(2026, 0, 1),
      deletingSinceMs: Date.UTC(2026, 0, 1, 0, 0, 5),
      confirmedOffFenceId: 'f1',
    });
  });

  it.each([[undefined], [{}], [{ attached: false }], [{ attached: 'true' }]])(
    'takes status %j for not attached',
    (status) => {
      expect(toVolumeAttachmentFact({ metadata, spec, status })?.attached).toBe(false);
    },
  );
});

describe('toLeaseFact', () => {
  it('keeps the renew time as text, to the last digit', () => {
    const spec = { holderIdentity: 'node-a', renewTime: '2026-01-01T00:00:00.123456Z' };
    expect(toLeaseFact({ metadata, spec })).toEqual({
      name: 'a',
      uid: 'u1',
      holderIdentity: 'node-a',
      renewTime: '2026-01-01T00:00:00.123456Z',
    });
  });

  it('takes an empty holder for none', () => {
    expect(toLeaseFact({ metadata, spec: { holderIdentity: '' } })).toEqual({ name: 'a', uid: 'u1' });
  });
});
