import type { ObjectRef } from '@reattach/core';
import { RecordingEventRecorder } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { ControllerEvents } from './controller-events.ts';

const POD = { name: 'reattach-0', namespace: 'reattach', uid: 'u1' };

function setUp(findPod: () => Promise<ObjectRef | undefined> = async () => POD) {
  const events = new RecordingEventRecorder();
  const own = new ControllerEvents({ events, findPod, signal: new AbortController().signal });
  return { events, own };
}

describe('ControllerEvents', () => {
  it('reports a lost and restored backend on its own pod, in that order and word for word', async () => {
    const { events, own } = setUp();
    for (let time = 0; time < 2; time++) {
      own.disconnected('backend-a', 'UNAVAILABLE: connect ECONNREFUSED');
      own.reconnected('backend-a');
    }
    await own[Symbol.asyncDispose]();
    expect(events.events.slice(0, 2)).toEqual([
      {
        type: 'Warning',
        reason: 'StorageDisconnected',
        message:
          'Storage backend backend-a is not connected, its volumes are held: UNAVAILABLE: connect ECONNREFUSED',
        regarding: { kind: 'Pod', ...POD },
      },
      {
        type: 'Normal',
        reason: 'StorageReconnected',
        message: 'Storage backend backend-a is connected again',
        regarding: { kind: 'Pod', ...POD },
      },
    ]);
    expect(events.events.slice(2)).toEqual(events.events.slice(0, 2));
  });

  it('says what the startup pass found, or that it failed', async () => {
    const { events, own } = setUp();
    const report = {
      nowMs: 0,
      reconcileId: 'r',
      attacher: 'a',
      decisions: [],
      healthyCount: 7,
      cleanups: [],
      effects: [],
      fences: [],
    };
    own.started('fence', report);
    own.started('fence', undefined);
    await own[Symbol.asyncDispose]();
    expect(events.events.map(({ type, reason, message }) => [type, reason, message])).toEqual([
      [
        'Normal',
        'StartupReconciliation',
        'Checked 7 attachments in mode fence: 0 on lost nodes, 0 of them held; fences: 0',
      ],
      ['Warning', 'StartupReconciliation', 'The startup pass in mode fence failed; it is tried again'],
    ]);
  });

  it('says nothing where there is no such pod, and asks for it once', async () => {
    let asked = 0;
    const { events, own } = setUp(async () => void asked++);
    own.reconnected('backend-a');
    own.reconnected('backend-a');
    await own[Symbol.asyncDispose]();
    expect([events.events, asked]).toEqual([[], 1]);
  });

  it('asks again after a failed answer', async () => {
    let asked = 0;
    const { events, own } = setUp(() =>
      asked++ === 0 ? Promise.reject(new Error('no')) : Promise.resolve(POD),
    );
    own.reconnected('backend-a');
    own.reconnected('backend-a');
    await own[Symbol.asyncDispose]();
    expect(events.events).toHaveLength(1);
  });
});
