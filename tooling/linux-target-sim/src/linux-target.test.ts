import { FakeClock } from '@reattach/core/testing';
import { InProcessRds } from '@reattach/rds-sim';
import { describe, expect, it } from 'vitest';
import { LinuxTarget } from './linux-target.ts';

const NONCE = '0123456789abcdef';
const FENCE = `fence ${NONCE} ports=4420 addresses=10.0.0.11 id=0badf00d node=node-a at=0`;

function world() {
  const { device } = new InProcessRds({ clock: new FakeClock() });
  return { device, target: new LinuxTarget(device) };
}

describe('LinuxTarget', () => {
  it('answers with the counts and the end marker of PROTOCOL.md', () => {
    const [head = '', ...lines] = world().target.answer(`read ${NONCE}`).trimEnd().split('\n');
    const body = lines.slice(0, -1);
    const bytes = body.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
    expect(head).toBe(`reattach-target 1 read ${NONCE} ${body.length} ${bytes}`);
    expect(lines.at(-1)).toBe(`end ${NONCE}`);
  });

  it('drops what is fenced until the ruleset is flushed, and again after the next fence', () => {
    const { device, target } = world();
    target.answer(FENCE);
    expect(device.blocks('10.0.0.11')).toBe(true);
    target.table.flush();
    expect(device.blocks('10.0.0.11')).toBe(false);
    target.answer(FENCE);
    expect(device.blocks('10.0.0.11')).toBe(true);
    target.answer(`unfence ${NONCE} id=0badf00d`);
    expect(device.blocks('10.0.0.11')).toBe(false);
  });

  it('refuses other requests', () => {
    expect(world().target.answer('reboot now')).toContain('error - invalid');
    expect(world().target.answer(`reboot ${NONCE}`)).toContain(`error ${NONCE} invalid`);
  });
});
