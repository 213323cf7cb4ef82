import { FakeClock } from '@reattach/core/testing';
import { LinuxTarget } from '@reattach/linux-target-sim';
import { InProcessRds } from '@reattach/rds-sim';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseContent } from '../target-snapshot.ts';
import { parseReply } from './reply.ts';

const NONCE = '0123456789abcdef';
const bytes = (text: string) => new TextEncoder().encode(text);
const whole = () =>
  new LinuxTarget(new InProcessRds({ clock: new FakeClock() }).device).answer(`read ${NONCE}`);

describe('parseReply', () => {
  it('reads a complete reply', () => {
    const parsed = parseReply(bytes(whole()), 'read', NONCE);
    expect(parsed.ok && parseContent(parsed.value).facts.bootId).toBe('boot-of-target-1');
  });

  it.each([
    ['a reply that was cut off', whole().slice(0, -10), 'incomplete'],
    ['the reply of another request', whole(), 'incomplete', 'fedcba9876543210'],
    ['a line that was lost', whole().replace('bootId\tboot-of-target-1\n', ''), 'malformed'],
    ['another version', whole().replace('reattach-target 1', 'reattach-target 2'), 'malformed'],
    ['a shell instead of the forced command', 'Linux target 6.1\n', 'incomplete'],
    ['a refusal', `reattach-target 1 error ${NONCE} busy\nlocked\nend ${NONCE}\n`, 'refusal'],
  ])('%s -> %s', (_, text, kind, nonce = NONCE) => {
    const parsed = parseReply(bytes(text), 'read', nonce);
    expect(parsed.ok ? 'ok' : parsed.fault.kind).toBe(kind);
  });

  it('never throws, and accepts no reply with a changed byte in its counts', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (noise, at) => {
        const text = whole();
        const cut = at % text.length;
        expect(parseReply(bytes(noise), 'read', NONCE).ok).toBe(false);
        expect(parseReply(bytes(text.slice(0, cut)), 'read', NONCE).ok).toBe(false);
      }),
    );
  });

  it('removes control characters from what it quotes', () => {
    const parsed = parseReply(bytes('\u001b[2Jhello\n'), 'read', NONCE);
    expect(parsed.ok ? '' : parsed.fault.detail).toContain('?[2Jhello');
  });
});
