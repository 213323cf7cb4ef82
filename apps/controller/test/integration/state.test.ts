import { until } from '@reattach/sim-world';
import type { StateReport } from '@reattach/status-page';
import { describe, expect, it } from 'vitest';
import { WorldController } from './support/world-controller.ts';

async function stateOf(url: string, query = ''): Promise<StateReport> {
  const response = await fetch(`${url}/state${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as StateReport;
}

describe('GET /state', { timeout: 60_000 }, () => {
  it('follows a node from well to dead', async () => {
    await using controller = await WorldController.start(['--mode=observe']);
    const { url, world } = controller;
    const well = await stateOf(url);
    expect(well).toMatchObject({
      mode: 'observe',
      leading: true,
      lastPass: { result: 'ok' },
      counts: { attachments: 3, ready: 3, byVerdict: { keep: 3, hold: 0 }, heldByReason: {} },
    });
    const decided = well.attachments.map(
      ({ claim, rule, decision }) => `${claim?.name}: ${decision} (${rule})`,
    );
    expect(decided.toSorted()).toEqual([
      'data-db-0: keep (node-lost)',
      'data-db-1: keep (node-lost)',
      'data-db-2: keep (node-lost)',
    ]);
    expect(await stateOf(url, '?attachments=lost')).toMatchObject({ attachments: [] });

    const [victim] = well.attachments;
    if (!victim) throw new Error('nothing is attached');
    world.powerOff(victim.node);
    let lost = well;
    await until('the dry run to name the node', 20_000, async () => {
      lost = await stateOf(url, '?attachments=lost');
      const [first] = lost.attachments;
      return first?.reason === 'dry-run' && first.sinceMs !== undefined;
    });
    expect(lost.attachments[0]).toMatchObject({
      node: victim.node,
      nodeState: 'not-ready',
      evidence: { kind: 'silent' },
      rule: 'mode-observe',
      decision: 'hold',
    });
    expect(lost.counts.heldByReason).toEqual({ 'dry-run': lost.attachments.length });
  });

  it('asks for a pass', async () => {
    await using controller = await WorldController.start();
    const response = await fetch(`${controller.url}/reconcile`, { method: 'POST' });
    expect(response.status).toBe(202);
    await until('the pass', 5_000, async () => {
      const { lastPass } = await stateOf(controller.url);
      return lastPass?.reasons.includes('manual') ?? false;
    });
  });

  it('is refused a choice it does not know, and is not served where http.stateAccess says so', async () => {
    await using controller = await WorldController.start();
    expect((await fetch(`${controller.url}/state?attachments=some`)).status).toBe(400);
    await using closed = await WorldController.start(['--http-state-access=off']);
    expect((await fetch(`${closed.url}/state`)).status).toBe(403);
    expect((await fetch(`${closed.url}/readyz`)).status).toBe(200);
  });
});
