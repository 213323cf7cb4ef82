import { describe, expect, it } from 'vitest';
import { FakeAttachmentStore } from './fake-attachment-store.ts';

const { signal } = new AbortController();

describe('FakeAttachmentStore', () => {
  it('keeps the last record of each volume, and every call', async () => {
    const store = new FakeAttachmentStore();
    await store.setAttached('vol', 'node-a', 1_000, signal);
    await store.setAttached('vol', 'node-b', 2_000, signal);
    expect([...store.records]).toEqual([['vol', { nodeName: 'node-b', attachedAtMs: 2_000 }]]);
    await store.clearAttached('vol', signal);
    expect(store.records.size).toBe(0);
    expect(store.calls).toEqual([
      { kind: 'set', volumeHandle: 'vol', nodeName: 'node-a', attachedAtMs: 1_000 },
      { kind: 'set', volumeHandle: 'vol', nodeName: 'node-b', attachedAtMs: 2_000 },
      { kind: 'clear', volumeHandle: 'vol' },
    ]);
  });

  it('writes nothing while `before` waits, or when it throws', async () => {
    const store = new FakeAttachmentStore();
    const gate = Promise.withResolvers<void>();
    store.before = () => gate.promise;
    const write = store.setAttached('vol', 'node-a', 1_000, signal);
    expect(store.records.size).toBe(0);
    gate.resolve();
    await write;
    expect(store.records.size).toBe(1);
    store.before = ({ kind }) => {
      throw new Error(`no ${kind}`);
    };
    await expect(store.clearAttached('vol', signal)).rejects.toThrow('no clear');
    expect([store.records.size, store.calls.length]).toEqual([1, 2]);
  });

  it('rejects with the reason of an aborted signal, without a call', async () => {
    const store = new FakeAttachmentStore();
    const aborted = AbortSignal.abort(new Error('too late'));
    await expect(store.setAttached('vol', 'node-a', 1_000, aborted)).rejects.toThrow('too late');
    await expect(store.clearAttached('vol', aborted)).rejects.toThrow('too late');
    expect(store.calls).toEqual([]);
  });
});
