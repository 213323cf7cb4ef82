import { describe, expect, it } from 'vitest';
import { A, B, C, fenceOf, Scene, suspect } from '../support/scene.ts';

/** Hosts a and b have spoken for a minute; then a is fenced, which stops its packets. */
function fenced() {
  const s = new Scene();
  const [a, b] = [s.host(A), s.host(B)];
  s.counters.set('slot-a', { writes: '1', inFlight: '0' });
  s.readFor(60_000);
  s.fence(A);
  a.isSpeaking = false;
  return { s, a, b };
}

describe('the state of a fence', () => {
  it('goes from open over quiescing to effective once its sessions were seen closed, and says the proof', () => {
    const s = new Scene();
    const a = s.host(A);
    s.host(B);
    expect(fenceOf(s.readFor(20_000))).toBe('open');
    s.fence(A);
    a.isSpeaking = false;
    expect(fenceOf(s.readFor(6_000))).toBe('quiescing');
    a.phase = 'closing';
    expect(fenceOf(s.readFor(4_000))).toBe('quiescing');
    a.phase = 'closed';
    s.readFor(4_000);
    a.phase = undefined;
    const said = s.readFor(20_000);
    expect(said.fenceStates.get('a')).toMatchObject({
      kind: 'effective',
      why: expect.stringMatching(/^fence effective: sessions closed \d+\.\d s ago/),
    });
  });

  it('is never effective when a session vanished without being seen closed, and names the way out', () => {
    const { s, a } = fenced();
    s.readFor(4_000);
    a.phase = undefined;
    const said = s.readFor(120_000);
    expect(said.fenceStates.get('a')).toMatchObject({
      kind: 'ineffective',
      reason: 'quiesce-unproved',
      fence: { id: '00c0ffee' },
      fix: expect.stringMatching(/powered off.*reattach confirm-off a$/),
      acceptsConfirmation: true,
    });
  });

  it('does not accept the word of an operator while the volume is being written to', () => {
    const { s, a } = fenced();
    s.readFor(4_000);
    a.phase = undefined;
    expect(fenceOf(s.readFor(10_000))).toBe('quiesce-unproved');
    s.counters.set('slot-a', { writes: '2', inFlight: '0' });
    expect(fenceOf(s.read())).toBe('quiescing');
  });

  it('ends in a hold when sessions stay open, which no word of an operator ends', () => {
    const { s } = fenced();
    expect(fenceOf(s.readFor(290_000, 5_000))).toBe('quiescing');
    const said = s.readFor(20_000, 5_000);
    expect(fenceOf(said)).toBe('quiesce-unproved');
    expect(said.fenceStates.get('a')).not.toHaveProperty('acceptsConfirmation');
  });

  it('is a hold, not a wait, when packets pass the complete fence', () => {
    const { s, a } = fenced();
    a.isSpeaking = true;
    expect(fenceOf(s.readFor(6_000))).toBe('still-writing');
  });

  it('is effective when the backend booted after the last connection', () => {
    const { s, a } = fenced();
    s.readFor(4_000);
    a.phase = undefined;
    s.readFor(4_000);
    expect(fenceOf(s.read())).toBe('quiesce-unproved');
    s.uptimeMs = 1_000;
    expect(fenceOf(s.readFor(6_000))).toBe('effective');
  });

  it('is not proved by a clock that was set so far forward that the backend might have booted', () => {
    const { s, a } = fenced();
    s.readFor(4_000);
    a.phase = undefined;
    s.step(3_600_000);
    expect(fenceOf(s.readFor(6_000))).toBe('quiesce-unproved');
  });

  it('is a hold while a volume that only this node may write to is written to after its writes had ended', () => {
    const { s, a } = fenced();
    a.phase = 'closed';
    expect(fenceOf(s.readFor(8_000))).toBe('effective');
    s.counters.set('slot-a', { writes: '2', inFlight: '0' });
    expect(fenceOf(s.readFor(4_000))).toBe('still-writing');
  });

  it('waits for counters to stand still after the sessions have closed', () => {
    const { s, a } = fenced();
    s.read();
    s.advance(1_000);
    a.phase = 'closed';
    s.counters.set('slot-a', { writes: '2', inFlight: '0' });
    expect(fenceOf(s.read())).toBe('quiescing');
    expect(fenceOf(s.readFor(4_000))).toBe('effective');
  });

  it('is a hold while a live session belongs to no known node', () => {
    const { s, a } = fenced();
    a.phase = 'closed';
    s.host(C);
    expect(fenceOf(s.readFor(6_000))).toBe('unattributed-session');
  });

  it('is a hold, with the fix, where the backend does not enforce it', () => {
    const { s } = fenced();
    s.enforcement = { kind: 'not-enforced', detail: 'no rule', fix: 'add it' };
    expect(s.readFor(4_000).fenceStates.get('a')).toMatchObject({
      reason: 'not-enforced',
      why: 'no rule',
      fix: 'add it',
    });
  });

  it('is open while one of its addresses is not fenced, or is fenced for another node, boot, cluster or owner', () => {
    const { s } = fenced();
    s.suspects = [suspect('a', [A, C])];
    expect(s.readFor(2_000).fenceStates.get('a')).toMatchObject({ kind: 'open', addresses: [{ value: C }] });
    const other = { nodeName: 'b' };
    for (const record of [other, { bootId: 'earlier' }, { clusterId: 'other' }, { owner: 'other.csi' }]) {
      s.entries = s.entries.map((entry) => ({ ...entry, record: { ...entry.record, ...record } }));
      s.suspects = [{ ...suspect('a', [A]), bootId: 'now' }];
      expect(fenceOf(s.read())).toBe('open');
    }
  });
});

describe('a damaged fence', () => {
  it.each([
    ['removed', (s: Scene) => void (s.entries = []), 'was removed'],
    [
      'disabled',
      (s: Scene) => void (s.entries = s.entries.map((e) => ({ ...e, standing: 'disabled' }))),
      'is disabled',
    ],
    [
      'given an end',
      (s: Scene) => void (s.entries = s.entries.map((e) => ({ ...e, standing: 'expires' }))),
      'will expire',
    ],
  ])('is said when an entry was %s', (_what, harm, words) => {
    const { s } = fenced();
    s.read();
    expect(s.fences).toMatchObject([{ id: '00c0ffee', inForce: [{ value: A }] }]);
    harm(s);
    s.read();
    expect(s.fences).toMatchObject([{ id: '00c0ffee', inForce: [], damage: expect.stringContaining(words) }]);
  });

  it('counts from when it is whole again', () => {
    const { s } = fenced();
    s.readFor(20_000);
    const entries = s.entries;
    s.entries = [];
    s.readFor(2_000);
    s.entries = entries;
    s.read();
    expect(s.fences).toMatchObject([{ seenSinceMs: s.nowMs }]);
  });

  it('is not missed under its old record when its addresses were given to a new one', () => {
    const { s } = fenced();
    s.readFor(10_000);
    const sinceMs = s.fences[0]?.seenSinceMs;
    s.entries = s.entries.map((entry) => ({ ...entry, record: { ...entry.record, id: 'deadbeef' } }));
    s.readFor(2_000);
    expect(s.fences).toMatchObject([{ id: 'deadbeef', seenSinceMs: sinceMs }]);
    expect(s.fences).toHaveLength(1);
  });
});
