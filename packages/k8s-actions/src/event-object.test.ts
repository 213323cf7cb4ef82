import { EVENT_REASONS } from '@reattach/core';
import { describe, expect, it } from 'vitest';
import { newEventObject } from './event-object.ts';

describe('newEventObject', () => {
  it.each(EVENT_REASONS)('gives %s the action that events.k8s.io/v1 demands', (reason) => {
    const regarding = { kind: 'Node', namespace: '', name: 'node-a' } as const;
    const event = { type: 'Normal', reason, message: 'm', regarding } as const;
    expect(newEventObject(event, 'node-a.1', 'reattach-1', 0)).toMatchObject({
      reason,
      action: expect.stringMatching(/^[A-Z][A-Za-z]{1,127}$/),
    });
  });
});
