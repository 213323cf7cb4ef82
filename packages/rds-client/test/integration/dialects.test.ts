import { ipAddresses } from '@reattach/core';
import type { RdsSimOptions } from '@reattach/rds-sim';
import { describe, expect, it } from 'vitest';
import { ABOUT_A, NEVER, startBackend, watchFor } from './backend-fixture.ts';

const FENCE = { id: '00c0ffee', nodeName: 'node-a', addresses: [], fencedAtMs: 1_767_225_600_000 };

const SPELLINGS: readonly RdsSimOptions[] = [
  {},
  { durationStyle: 'clock' },
  { durationStyle: 'date' },
  { addressStyle: 'with-port' },
  { addressStyle: 'ipv4-mapped' },
  { singleRow: 'object', emptyRows: 'empty-string' },
  { errorExitStatus: 1, trackingActive: 'active' },
  { trackingActive: 'absent', tracking: { enabled: 'auto' }, rawRuleEnablesTracking: true },
  { trackingActive: 'active-ipv4', tracking: { enabled: 'auto' }, rawRuleEnablesTracking: true },
  { serialize: 'missing' },
  { serialize: 'plain', unknownArgument: 'expected end of command' },
  { serialize: 'missing', durationStyle: 'clock', addressStyle: 'ipv4-mapped', errorExitStatus: 1 },
  { version: '7.20.6 (stable)' },
];

describe.each(SPELLINGS)('a backend that spells %j', (spelling) => {
  it('is understood: evidence, counters, fences', async () => {
    await using f = await startBackend(spelling);
    const first = await f.backend.observe(ABOUT_A, NEVER);
    expect([...first.evidence.values()]).toEqual([expect.objectContaining({ kind: 'live' })]);
    expect(first).toMatchObject({ liveHosts: 2, fences: [], enforcement: { kind: 'enforced' } });

    await f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER);
    f.hostA.powerOff();
    await watchFor(f, 40_000);
    const last = await f.backend.observe(ABOUT_A, NEVER);
    expect(last.evidence.get('node-a')).toMatchObject({ kind: 'silent' });
    expect(last.fences).toEqual([
      expect.objectContaining({ id: FENCE.id, inForce: ipAddresses(['10.0.5.1']) }),
    ]);
    expect(f.backend.lastSnapshot?.writeCounters.has('pvc-a')).toBe(true);

    await f.backend.unfence(
      { ...FENCE, addresses: ipAddresses(['10.0.5.1']), inForce: [], seenSinceMs: 0 },
      NEVER,
    );
    expect(f.sim.device.addressList.entries).toEqual([]);
  });
});

describe('the dialect', () => {
  it.each<[RdsSimOptions, string, number]>([
    [{}, 'serialize', 3],
    [{ serialize: 'missing' }, 'records', 3],
  ])('is probed once per connection and shown: %j -> %s', async (options, dialect, probes) => {
    await using f = await startBackend(options);
    await f.backend.observe(ABOUT_A, NEVER);
    await f.backend.observe(ABOUT_A, NEVER);
    const sent = f.sim.commands.entries.map(({ text }) => text);
    expect(sent.filter((text) => text.includes('stats') && !text.includes('count|'))).not.toHaveLength(0);
    expect(sent.slice(0, probes).every((text) => !text.includes('fences'))).toBe(true);
    expect(f.backend.lastSnapshot).toMatchObject({ dialect });
    expect(f.backend.health()).toMatchObject({ connected: true, detail: expect.stringContaining(dialect) });
    const line = f.logger.lines.find(({ message }) => message === 'Probed storage backend');
    expect(line?.fields).toMatchObject({ dialect, version: '7.24.2 (stable)', writeCounters: true });
  });
});

describe('the version', () => {
  it('below 7.16 is refused with a clear error', async () => {
    await using f = await startBackend({ version: '7.15.3 (stable)' });
    const { evidence } = await f.backend.observe(ABOUT_A, NEVER);
    expect(evidence.get('node-a')).toMatchObject({
      kind: 'unknown',
      reason: 'output-not-understood',
      detail: expect.stringContaining('RouterOS "7.15.3 (stable)" is older than 7.16'),
    });
    const fencing = f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER);
    await expect(fencing).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION', outcome: 'not-applied' });
    expect(f.sim.commands.entries).toHaveLength(1);
  });

  it('with known holes is warned about once', async () => {
    await using f = await startBackend({ version: '7.22.1 (stable)' });
    await f.backend.observe(ABOUT_A, NEVER);
    f.sim.faults.dropConnections();
    await f.backend.observe(ABOUT_A, NEVER);
    await f.clock.advance(1_000);
    await f.backend.observe(ABOUT_A, NEVER);
    const warnings = f.logger.lines.filter(({ message }) => message === 'RouterOS version has known limits');
    expect(warnings).toHaveLength(1);
    expect(JSON.stringify(warnings[0]?.fields)).toMatch(/CVE-2026-67279.*CVE-2026-86060/);
  });
});
