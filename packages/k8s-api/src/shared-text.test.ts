import { describe, expect, it } from 'vitest';
import { sharedList } from './shared-text.ts';
import { toPersistentVolumeFact } from './to-persistent-volume-fact.ts';
import { toPodFact } from './to-pod-fact.ts';

const pod = (name: string) =>
  toPodFact({
    metadata: {
      namespace: 'web',
      name,
      uid: name,
      ownerReferences: [{ kind: 'StatefulSet', name: 'web', controller: true }],
    },
    spec: { nodeName: 'node-a' },
    status: { hostIP: '10.0.0.1' },
  });

const volume = (name: string) =>
  toPersistentVolumeFact({ metadata: { name, uid: name }, spec: { accessModes: ['ReadWriteOnce'] } });

describe('sharedList', () => {
  it('is one object for equal lists, another for others', () => {
    const list = sharedList(['10.0.0.1', 'fd00::1']);
    expect(sharedList(['10.0.0.1', 'fd00::1'])).toBe(list);
    expect(list).toEqual(['10.0.0.1', 'fd00::1']);
    expect(sharedList(['10.0.0.1,fd00::1'])).toEqual(['10.0.0.1,fd00::1']);
    expect(sharedList([])).toEqual([]);
  });

  it('stays right and bounded however many lists there are', () => {
    const first = sharedList(['first']);
    for (let index = 0; index < 20_000; index++) {
      expect(sharedList([`list ${index}`])).toEqual([`list ${index}`]);
    }
    expect(sharedList(['first'])).toEqual(['first']);
    expect(sharedList(['first'])).not.toBe(first);
  });

  it('is what projections of one node, one access mode, one set have in common', () => {
    const [first, second] = [pod('web-0'), pod('web-1')];
    expect(first?.hostAddresses).toBe(second?.hostAddresses);
    expect(first?.claimNames).toBe(second?.claimNames);
    expect(first?.controller).toBe(second?.controller);
    expect(volume('pv-a')?.accessModes).toBe(volume('pv-b')?.accessModes);
  });
});
