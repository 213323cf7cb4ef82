import type { NodeEvidence } from '@reattach/core';
import { ipAddresses } from '@reattach/core';
import { describe, expect, it } from 'vitest';
import { ABOUT_A, type BackendFixture, NEVER, startBackend } from './backend-fixture.ts';

const WINDOW_MS = 15_000;
/** The backend prints ages in whole seconds. */
const PRINTED_MS = 1_000;
const POLL_MS = 2_000;

/** What is said of node-a every two seconds for `durationMs`, and when. */
async function watchA(
  { backend, clock }: BackendFixture,
  durationMs: number,
  meanwhile: () => void = () => undefined,
): Promise<readonly (readonly [number, NodeEvidence | undefined])[]> {
  const said: [number, NodeEvidence | undefined][] = [];
  for (let waitedMs = 0; waitedMs < durationMs; waitedMs += POLL_MS) {
    meanwhile();
    await clock.advance(POLL_MS);
    said.push([clock.now(), (await backend.observe(ABOUT_A, NEVER)).evidence.get('node-a')]);
  }
  return said;
}

function kinds(said: Awaited<ReturnType<typeof watchA>>): readonly (string | undefined)[] {
  return [...new Set(said.map(([, evidence]) => evidence?.kind))];
}

describe('a host whose tracking entries mislead', () => {
  it('stays live while data is always on its way, though its entry looks a day old', async () => {
    await using f = await startBackend({ writeServiceMs: 20_000 });
    const host = f.sim.device.addHost({ name: 'node-a-busy', addresses: ['10.0.5.1'], ioQueues: 0 });
    f.hostA.powerOff();
    host.connect('pvc-a');
    await f.clock.advance(60_000);
    const said = await watchA(f, 80_000, () => void host.write('pvc-a'));
    const entries = f.backend.lastSnapshot?.sessions.filter(({ address }) => address === '10.0.5.1') ?? [];
    expect(Math.min(...entries.map(({ remainingMs = 0 }) => remainingMs))).toBeLessThanOrEqual(300_000);
    expect(kinds(said)).toEqual(['live']);
  });

  it('is silent when it lost power', async () => {
    await using f = await startBackend();
    await f.backend.observe(ABOUT_A, NEVER);
    f.hostA.powerOff();
    const diedAtMs = f.clock.now();
    const said = await watchA(f, 60_000);
    expect(kinds(said)).toEqual(['live', 'silent']);
    const [atMs = 0, evidence] = said.find(([, { kind } = { kind: '' }]) => kind === 'silent') ?? [];
    expect(atMs).toBeLessThanOrEqual(diedAtMs + WINDOW_MS + PRINTED_MS + POLL_MS);
    expect(evidence).toMatchObject({
      lastActivityMs: expect.toSatisfy((ms: number) => ms <= diedAtMs + PRINTED_MS),
    });
    expect(new Set(said.slice(-5).map(([, last]) => last?.kind))).toEqual(new Set(['silent']));
  });

  it('is silent when it lost power with data on its way', async () => {
    await using f = await startBackend({ writeServiceMs: 500 });
    await watchA(f, 6_000, () => void f.hostA.write('pvc-a'));
    f.hostA.write('pvc-a');
    f.hostA.powerOff();
    const diedAtMs = f.clock.now();
    const said = await watchA(f, 300_000);
    const [atMs = 0] = said.find(([, { kind } = { kind: '' }]) => kind === 'silent') ?? [];
    expect(atMs).toBeLessThanOrEqual(diedAtMs + WINDOW_MS + 2 * POLL_MS);
    expect(kinds(said)).toEqual(['live', 'silent']);
  });

  it('is live again at once when it was only cut off', async () => {
    await using f = await startBackend();
    await f.backend.observe(ABOUT_A, NEVER);
    f.hostA.partition();
    expect(kinds(await watchA(f, 40_000))).toEqual(['live', 'silent']);
    f.hostA.heal();
    const said = await watchA(f, 20_000);
    expect(said.at(-1)?.[1]).toMatchObject({ kind: 'live' });
  });

  it('is silent behind a fence, whatever it tries', async () => {
    await using f = await startBackend();
    await f.backend.observe(ABOUT_A, NEVER);
    await f.backend.fence(
      { id: '00c0ffee', nodeName: 'node-a', addresses: [], fencedAtMs: 0 },
      ipAddresses(['10.0.5.1']),
      NEVER,
    );
    const said = await watchA(f, 60_000, () => void f.hostA.write('pvc-a'));
    expect(kinds(said)).toEqual(['live', 'silent']);
    expect(f.sim.oracle.doubleWrites).toBe(0);
  });
});
