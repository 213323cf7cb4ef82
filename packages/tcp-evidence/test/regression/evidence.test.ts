import { ipAddresses } from '@reattach/core';
import { describe, expect, it } from 'vitest';
import { INITIAL_STATE } from '../../src/backend-state.ts';
import { formatHistory, parseHistory, withHistory } from '../../src/history-text.ts';
import { A, B, C, Scene, saidOf, suspect } from '../support/scene.ts';

/** Hosts a and b have spoken every second for a minute. */
function scene() {
  const s = new Scene();
  const [a, b] = [s.host(A), s.host(B)];
  s.readFor(60_000);
  return { s, a, b };
}

describe('evidence', () => {
  it('is live, then silent since the last packet while another host is live', () => {
    const { s, a } = scene();
    expect(saidOf(s.read())).toBe('live');
    a.isSpeaking = false;
    const lastMs = a.lastMs;
    const said = s.readFor(20_000);
    expect(saidOf(said)).toBe('silent');
    expect(said.evidence.get('a')).toMatchObject({
      silentSinceMs: expect.toSatisfy((ms: number) => Math.abs(ms - lastMs) <= 1_000),
    });
  });

  it('of an entry that vanished between two readings dates the last packet to before its closing time-out', () => {
    const { s, a } = scene();
    a.isSpeaking = false;
    s.advance(40_000);
    a.phase = undefined; // closed and gone long before this reading
    const said = s.read();
    const evidence = said.evidence.get('a');
    expect(evidence?.kind === 'live' && evidence.lastActivityMs).toBe(s.nowMs - 10_000);
    s.advance(5_000);
    expect(saidOf(s.read())).toBe('silent');
  });

  it('of an emptied table proves nothing about entries that are missing', () => {
    const { s, a, b } = scene();
    s.hasControl = false;
    s.read();
    s.advance(40_000);
    for (const host of [a, b]) host.phase = undefined;
    expect(s.read().evidence.get('a')).toMatchObject({ kind: 'live', lastActivityMs: s.nowMs });
  });

  it.each([30_000, 60_000])('of a host that speaks every %i ms is never silent while it lives', (everyMs) => {
    const { s } = scene();
    s.suspects = [suspect('c', [C])];
    s.host(C, everyMs);
    for (let passed = 0; passed < 600_000; passed += 5_000) {
      s.advance(5_000);
      expect(saidOf(s.read(), 'c')).not.toBe('silent');
    }
  });

  it('of a host that speaks every 30 s is silent once it has been for twice as long', () => {
    const { s } = scene();
    s.suspects = [suspect('c', [C])];
    s.peers = [suspect('a', [A]), suspect('b', [B])];
    const c = s.host(C, 30_000);
    s.readFor(300_000, 5_000);
    c.isSpeaking = false;
    expect(saidOf(s.readFor(50_000, 5_000), 'c')).toBe('long-cadence');
    expect(saidOf(s.readFor(40_000, 5_000), 'c')).toBe('silent');
  });

  it('is unknown when every host ages at once, whichever is the control', () => {
    const { s } = scene();
    s.isTracking = false;
    expect(saidOf(s.readFor(60_000))).toBe('no-live-peer');
  });

  it('of the only host is proved by the connection of the controller', () => {
    const s = new Scene();
    const a = s.host(A);
    s.readFor(60_000);
    a.isSpeaking = false;
    expect(saidOf(s.readFor(20_000))).toBe('silent');
    s.hasControl = false;
    s.state = { ...s.state, controls: new Map() };
    expect(saidOf(s.read())).toBe('no-live-peer');
    a.phase = 'closed'; // its own connection ends in sight
    expect(saidOf(s.read())).toBe('silent');
  });

  it('does not take two hosts that fell silent together for dead because the controller is connected', () => {
    const { s, a, b } = scene();
    a.isSpeaking = false;
    b.isSpeaking = false;
    expect(saidOf(s.readFor(30_000))).toBe('no-live-peer');
  });

  it('is unknown while a session belongs to no known node, wherever its addresses came from', () => {
    const { s, a } = scene();
    s.host(C);
    a.isSpeaking = false;
    const said = s.readFor(20_000);
    expect(saidOf(said)).toBe('unattributed-session');
    expect(said.unattributed).toMatchObject([{ address: { kind: 'ip', value: C } }]);
    s.options = { isForeign: (address) => address === C };
    expect([saidOf(s.read()), s.read().unattributed]).toEqual(['silent', []]);
  });

  it('is unknown while a volume that only this node may write to is written to', () => {
    const { s, a } = scene();
    a.isSpeaking = false;
    s.counters.set('slot-a', { writes: '1', inFlight: '0' });
    s.readFor(16_000);
    s.counters.set('slot-a', { writes: '2', inFlight: '0' });
    expect(saidOf(s.readFor(6_000))).toBe('still-written');
    expect(saidOf(s.readFor(30_000))).toBe('silent');
  });

  it('is unknown where sessions may be hidden, with the fix', () => {
    const { s } = scene();
    s.hidden = { detail: 'fasttrack', fix: 'disable it' };
    const said = s.read();
    expect(saidOf(said)).toBe('not-observable');
    expect(said.evidence.get('a')?.detail).toContain('fix: disable it');
  });

  it('looks only at addresses that the backend can see', () => {
    const { s, a } = scene();
    s.options = { isVisible: (address) => !address.includes(':') };
    s.suspects = [suspect('a', [A, 'fd00::1'])];
    a.isSpeaking = false;
    expect(saidOf(s.readFor(20_000))).toBe('silent');
    s.suspects = [suspect('a', ['fd00::1'])];
    expect(saidOf(s.read())).toBe('no-address');
  });

  it('knows an address written as IPv6', () => {
    const { s } = scene();
    s.suspects = [{ ...suspect('a', []), addresses: ipAddresses([`::ffff:${A}`]) }];
    expect(saidOf(s.read())).toBe('live');
  });

  it.each([-3_600_000, -20_000, 20_000, 400_000])('survives a clock that is stepped by %i ms', (stepMs) => {
    const { s, a } = scene();
    a.isSpeaking = false;
    s.readFor(8_000);
    s.step(stepMs);
    expect(saidOf(s.read())).toBe('live');
    expect(saidOf(s.readFor(4_000))).toBe('live');
    expect(saidOf(s.readFor(6_000))).toBe('silent');
  });

  it('knows its hosts after the backend has booted, and waits for them to come back', () => {
    const { s, a } = scene();
    a.isSpeaking = false;
    a.phase = undefined;
    s.uptimeMs = 5_000;
    expect(saidOf(s.readFor(4_000))).toBe('live');
    expect(saidOf(s.readFor(16_000))).toBe('long-cadence');
    expect(saidOf(s.readFor(16_000))).toBe('silent');
  });

  it('knows its hosts after a restart of the controller by the text it had kept', () => {
    const { s, a } = scene();
    const text = formatHistory(s.state);
    expect(formatHistory({ ...INITIAL_STATE, hosts: parseHistory(text) })).toBe(text);
    a.isSpeaking = false;
    a.phase = undefined; // while no controller ran
    s.advance(60_000);
    s.state = withHistory(INITIAL_STATE, parseHistory(text));
    expect(saidOf(s.readFor(4_000))).toBe('live');
    expect(saidOf(s.readFor(12_000))).toBe('silent');
    s.state = INITIAL_STATE;
    expect(saidOf(s.readFor(30_000))).toBe('never-seen-live');
    expect(parseHistory('something else')).toEqual(new Map());
  });

  it('does not remember strangers without end', () => {
    const { s } = scene();
    for (let index = 0; index < 3_000; index++) {
      const stranger = s.host(`10.9.${index >> 8}.${index & 255}`);
      stranger.isSpeaking = false;
    }
    s.read();
    for (const host of s.hosts.slice(2)) host.phase = undefined;
    s.advance(5_000);
    s.read();
    expect(s.state.hosts.size).toBeLessThanOrEqual(1_002);
    expect(s.state.hosts.has(A)).toBe(true);
  });
});
