import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it, vi } from 'vitest';
import { stateRoutes } from './state-routes.ts';

function report(): never {
  throw new Error('Expected not to be called');
}

function reconcileRoute(leading = true) {
  const clock = new FakeClock();
  const reconcile = vi.fn<() => void>();
  const routes = stateRoutes({ report, reconcile, leading: () => leading, clock });
  const route = routes.find(({ path }) => path === '/reconcile');
  return { clock, reconcile, ask: async () => (await route?.answer(new URLSearchParams()))?.status };
}

describe('POST /reconcile', () => {
  it('requests a pass at most once per second', async () => {
    const { clock, reconcile, ask } = reconcileRoute();
    expect([await ask(), await ask()]).toEqual([202, 429]);
    await clock.advance(1_000);
    expect(await ask()).toBe(202);
    expect(reconcile).toHaveBeenCalledTimes(2);
  });

  it('is refused by a standby', async () => {
    const { reconcile, ask } = reconcileRoute(false);
    expect(await ask()).toBe(409);
    expect(reconcile).not.toHaveBeenCalled();
  });
});
