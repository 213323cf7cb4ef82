import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { RdsSim } from '../index.ts';
import { wrapFields } from './wrap-fields.ts';

const SLOT = 'pvc-0b9c2f64-3a2e-4d0c-9f0e-6d1c2b3a4f50';

async function printed(command: string): Promise<string[]> {
  await using sim = await RdsSim.start({ clock: new FakeClock() });
  sim.device.addVolume({ slot: SLOT, nqn: `nqn.2000-02.com.mikrotik:${SLOT}`, sizeBytes: 1024 ** 4 });
  sim.device.addDropRule();
  const list = sim.device.addressList;
  list.add({ list: 'l', address: '10.0.0.1', disabled: true, comment: 'why "so"' });
  list.add({ list: 'l', address: '10.0.0.2', timeoutMs: 292_000 });
  const output = sim.run(command);
  expect(output.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  return output.split('\r\n').slice(0, -1);
}

describe('print', () => {
  it('detail wraps at 80 columns under the first key, lists the flags that occur, quotes strings, groups numbers', async () => {
    const lines = await printed(`/disk/print detail where slot="${SLOT}"`);
    expect(lines.slice(0, 4)).toEqual([
      'Flags: B - BLOCK-DEVICE; t - NVME-TCP-EXPORT',
      `1 Bt type=file slot="${SLOT}" slot-default=""`,
      '     parent="" fs=-',
      `     model="/raid10/volumes/${SLOT}.img"`,
    ]);
    expect(lines).toContainEqual(expect.stringMatching(/^ {5}size=1 099 511 627 776 .*compress=no$/));
    expect(lines).toContainEqual(expect.stringContaining('nvme-tcp-server-port=4420'));
    expect(lines.every((line) => line.length <= 80)).toBe(true);
    expect(lines.at(-1)).toBe('');
  });

  it('detail shows comments on lines of their own and separates rows by a line with a blank', async () => {
    expect(await printed('/ip/firewall/address-list print detail')).toEqual([
      'Flags: X - DISABLED; D - DYNAMIC',
      '0 X  ;;; why "so"',
      '     list=l address=10.0.0.1 creation-time=2026-01-01 00:00:00',
      ' ',
      '1  D list=l address=10.0.0.2 creation-time=2026-01-01 00:00:00 timeout=4m52s',
      '',
    ]);
  });

  it('terse puts a row on a line and quotes nothing', async () => {
    expect(await printed('/ip/firewall/address-list print terse where dynamic')).toEqual([
      '1 D list=l address=10.0.0.2 creation-time=2026-01-01 00:00:00 timeout=4m52s',
      '',
    ]);
  });

  it('brief is a table with its columns named', async () => {
    expect(await printed('/ip/firewall/raw print')).toEqual([
      'Columns: CHAIN, ACTION, PROTOCOL, DST-PORT, SRC-ADDRESS-LIST',
      '# CHAIN       ACTION  PROTOCOL  DST-PORT  SRC-ADDRESS-LIST',
      ';;; reattach',
      '0 prerouting  drop    tcp       4420      reattach-fenced ',
      '',
    ]);
  });

  it('stats shows the counters', async () => {
    expect((await printed('/ip/firewall/raw print stats'))[0]).toBe('Columns: CHAIN, ACTION, BYTES, PACKETS');
    expect((await printed(`/disk print stats-detail where slot="${SLOT}"`)).join('')).toContain(
      'write-ops=0',
    );
  });

  it('settings are names and values, aligned', async () => {
    expect(await printed('/system/identity/print')).toEqual(['  name: MikroTik-RDS', '']);
    expect(await printed('/system/resource/print')).toContain('       total-memory: 32768.0MiB');
  });

  it('nothing found -> prints nothing, or the flags line with the option', async () => {
    expect(await printed('/disk/print detail where slot=no-such')).toEqual([]);
    await using sim = await RdsSim.start({ clock: new FakeClock(), emptyPrint: 'flags' });
    expect(sim.run('/disk/print detail where slot=no-such')).toBe('Flags:\r\n');
  });
});

describe('wrapFields', () => {
  it('cuts a field that fits no line', () => {
    expect(wrapFields('0 ', ['a=1', `p=${'x'.repeat(12)}`, 'b=2'], 12)).toEqual([
      '0 a=1',
      '  p=xxxxxxxx',
      '  xxxx b=2',
    ]);
  });
});
