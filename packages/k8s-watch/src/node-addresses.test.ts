import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { toNodeFactWithHistory } from './node-addresses.ts';

const HOUR_MS = 3_600_000;

function world() {
  const clock = new FakeClock();
  const project = toNodeFactWithHistory(clock);
  let last: ReturnType<typeof project>;
  return {
    clock,
    /** Projects the Node's next state. */
    next: (addresses: readonly string[], { bootID = 'boot-1', ready = true } = {}) => {
      last = project(
        {
          kind: 'Node',
          metadata: { name: 'node-a', uid: 'n1' },
          status: {
            addresses: addresses.map((address) => ({ type: 'InternalIP', address })),
            conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
            nodeInfo: { bootID },
          },
        },
        last,
      );
      return last;
    },
  };
}

describe('toNodeFactWithHistory', () => {
  it('keeps an address that the Node no longer names, and says since when', () => {
    const { clock, next } = world();
    next(['10.0.0.1', '10.1.0.1']);
    const lostAtMs = clock.now();
    expect(next([], { ready: false })).toMatchObject({
      storageAddresses: ['10.0.0.1', '10.1.0.1'],
      formerAddresses: [
        { address: '10.0.0.1', lostAtMs },
        { address: '10.1.0.1', lostAtMs },
      ],
    });
  });

  it('counts from the first state without the address', async () => {
    const { clock, next } = world();
    next(['10.0.0.1', '10.1.0.1']);
    const lostAtMs = clock.now();
    next(['10.0.0.1']);
    await clock.advance(HOUR_MS - 1);
    expect(next(['10.0.0.1'])?.formerAddresses).toEqual([{ address: '10.1.0.1', lostAtMs }]);
    await clock.advance(1);
    expect(next(['10.0.0.1'])).toMatchObject({ storageAddresses: ['10.0.0.1'] });
    expect(next(['10.0.0.1'])).not.toHaveProperty('formerAddresses');
  });

  it('ends with the address being named again', () => {
    const { next } = world();
    next(['10.0.0.1']);
    next([]);
    const node = next(['10.0.0.1']);
    expect(node?.storageAddresses).toEqual(['10.0.0.1']);
    expect(node).not.toHaveProperty('formerAddresses');
  });

  it.each([
    ['a new boot of a ready Node', { bootID: 'boot-2' }, ['10.0.0.2']],
    ['a new boot of a Node that is not ready', { bootID: 'boot-2', ready: false }, ['10.0.0.2', '10.0.0.1']],
    ['a state without bootID', { bootID: '' }, ['10.0.0.2', '10.0.0.1']],
  ])('after %s knows the right addresses', (_what, state, expected) => {
    const { next } = world();
    next(['10.0.0.1']);
    expect(next(['10.0.0.2'], state)?.storageAddresses).toEqual(expected);
  });

  it('keeps a bounded number', () => {
    const { next } = world();
    for (let index = 0; index < 20; index++) next([`10.0.0.${index}`]);
    expect(next(['10.0.0.99'])?.storageAddresses).toHaveLength(9);
  });

  it('dates readiness by its own observation', async () => {
    const { clock, next } = world();
    const readyAtMs = clock.now();
    next(['10.0.0.1']);
    await clock.advance(1_000);
    expect(next(['10.0.0.1'])?.readyObservedAtMs).toBe(readyAtMs);
    expect(next(['10.0.0.1'], { ready: false })?.readyObservedAtMs).toBe(clock.now());
  });
});
