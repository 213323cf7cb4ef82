import type { KubeRequest } from '@reattach/k8s-api';
import { describe, expect, it } from 'vitest';
import { ScriptedKubeApi } from '../test/scripted-kube-api.ts';
import { alwaysLeader } from './always-leader.ts';
import { guardWrites } from './guard-writes.ts';
import { K8sActionsError } from './k8s-actions-error.ts';

const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;
const notLeader = new K8sActionsError('NOT_LEADER', 'not-applied', 'scripted');
const noLeader = {
  assertHeld: () => {
    throw notLeader;
  },
};

function request(method: KubeRequest['method'], timeoutMs?: number): KubeRequest {
  const { signal } = new AbortController();
  return { method, path: '/x', operation: 'x', signal, ...(timeoutMs !== undefined && { timeoutMs }) };
}

describe('guardWrites', () => {
  it.each(METHODS)('sends no %s without leadership', async (method) => {
    const api = new ScriptedKubeApi({});
    await expect(guardWrites(api, noLeader).request(request(method))).rejects.toBe(notLeader);
    expect(api.requests).toEqual([]);
  });

  it.each(METHODS)('asks again before each %s, and sends it while leadership is held', async (method) => {
    const api = new ScriptedKubeApi({ ok: 1 }, { ok: 2 });
    let asked = 0;
    const guarded = guardWrites(api, { assertHeld: () => void asked++ });
    expect(await guarded.request(request(method))).toEqual({ ok: 1 });
    expect(await guarded.request(request(method))).toEqual({ ok: 2 });
    expect(asked).toBe(2);
  });

  it('lets reads pass, with their own bound', async () => {
    const api = new ScriptedKubeApi({});
    await guardWrites(api, noLeader).request(request('GET', 9_000));
    expect(api.requests[0]?.timeoutMs).toBe(9_000);
  });

  it.each([
    [undefined, 5_000],
    [9_000, 5_000],
    [2_000, 2_000],
  ])('gives a write with bound %s ms %i ms', async (timeoutMs, expected) => {
    const api = new ScriptedKubeApi({});
    await guardWrites(api, alwaysLeader).request(request('DELETE', timeoutMs));
    expect(api.requests[0]?.timeoutMs).toBe(expected);
  });
});
