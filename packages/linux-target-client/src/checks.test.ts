import { describe, expect, it } from 'vitest';
import { targetChecks } from './checks.ts';
import type { TargetContent } from './target-snapshot.ts';

const NOW_MS = 1_764_000_000_000;

function examine(facts: Partial<TargetContent['facts']>, mayFence = true) {
  const content: TargetContent = {
    facts: {
      bootId: 'boot',
      uptimeMs: 0,
      clockMs: NOW_MS,
      kernel: '6.1',
      ports: [4420],
      persistence: 'unit',
      fencing: 'ready',
      ...facts,
    },
    ownAddresses: new Set(),
    sockets: [],
    exports: [],
    devices: new Map(),
    records: [],
    table: { addresses: new Set(), ports: new Set(), problem: 'the table inet reattach does not exist' },
    skipped: ['sockets: ?'],
  };
  const checks = targetChecks(content, { mayFence, nowMs: NOW_MS, settings: {} });
  for (const { name, state, fix } of checks)
    expect([name, fix !== undefined]).toEqual([name, state !== 'ok']);
  return new Map(checks.map((check) => [check.name, check]));
}

describe('targetChecks', () => {
  it.each([
    ['ready', 'ok', undefined],
    ['the command nft is missing', 'failed', 'apt-get install nftables'],
    ['/etc/reattach cannot be written', 'failed', expect.stringContaining('read-write')],
    [undefined, 'failed', expect.stringContaining('reattach-target')],
  ])('judges the write permission by the fact fencing: %s -> %s', (fencing, state, fix) => {
    expect(examine({ fencing }).get('write permission')).toMatchObject({
      state,
      ...(fix !== undefined && { fix }),
    });
    const inObserve = examine({ fencing }, false).get('write permission')?.state;
    expect(inObserve).toBe(state === 'failed' ? 'warning' : 'ok');
  });

  it.each([
    [0, 'ok'],
    [-9_000, 'ok'],
    [60_000, 'warning'],
    [-60_000, 'warning'],
  ])('compares the clocks: %i ms -> %s', (offsetMs, state) => {
    expect(examine({ clockMs: NOW_MS + offsetMs }).get('clock')?.state).toBe(state);
  });
});
