import { describe, expect, it } from 'vitest';
import { INITIAL_STATE } from '../../src/backend-state.ts';
import { formatHistory, parseHistory, withHistory } from '../../src/history-text.ts';
import { A, B, fenceOf, Scene } from '../support/scene.ts';

/** Host a has lost power and its queues were seen closing; the text is what the controller had kept then. */
function closedQueues(before: (s: Scene) => void = () => undefined) {
  const s = new Scene();
  const a = s.host(A);
  s.host(B);
  s.readFor(60_000);
  a.isSpeaking = false;
  before(s);
  s.readFor(20_000);
  a.phase = 'closed';
  s.readFor(4_000);
  a.phase = undefined;
  return { s, a, text: formatHistory(s.state) };
}

/** Another process, which knows the text only, starts after `awayMs` and fences the node unless it is fenced. */
function afterRestart(s: Scene, text: string, awayMs: number) {
  s.advance(awayMs);
  s.state = withHistory(INITIAL_STATE, parseHistory(text));
  s.read();
  if (s.entries.length === 0) s.fence(A);
  return fenceOf(s.readFor(30_000));
}

describe('a controller that was away after the queues of a lost node had closed', () => {
  it('goes on where the one before ended when no host can have come and gone meanwhile', () => {
    const { s, text } = closedQueues();
    expect(afterRestart(s, text, 6_000)).toBe('effective');
  });

  it('holds when the node may have connected and gone meanwhile', () => {
    const { s, text } = closedQueues();
    expect(afterRestart(s, text, 30_000)).toBe('quiesce-unproved');
  });

  it('does not care how long it was away when they closed behind the fence that is still there', () => {
    const { s, text } = closedQueues((scene) => scene.fence(A));
    expect(afterRestart(s, text, 300_000)).toBe('effective');
  });

  it('holds when the clock of the backend says that it was away for longer than our clocks say', () => {
    const { s, text } = closedQueues();
    s.uptimeMs += 30_000;
    expect(afterRestart(s, text, 1_000)).toBe('quiesce-unproved');
  });

  it('keeps the doubt of its successor: a third process does not forget that the host was not watched', () => {
    const { s, text } = closedQueues();
    s.advance(30_000);
    s.state = withHistory(INITIAL_STATE, parseHistory(text));
    s.read();
    expect(afterRestart(s, formatHistory(s.state), 2_000)).toBe('quiesce-unproved');
  });
});

describe('a controller that restarts after a queue of a living host was reset', () => {
  it('still knows that nothing proves the end of its writes', () => {
    const s = new Scene();
    const reset = s.host(A);
    const other = s.host(A);
    s.host(B);
    s.readFor(60_000);
    s.reset(reset);
    s.readFor(10_000);
    reset.phase = undefined;
    other.isSpeaking = false;
    s.readFor(20_000);
    other.phase = 'closed'; // by the target
    s.readFor(2_000);
    other.phase = 'established';
    const text = formatHistory(s.state);
    s.state = withHistory(INITIAL_STATE, parseHistory(text));
    s.readFor(4_000);
    other.phase = 'closed';
    s.readFor(4_000);
    other.phase = undefined;
    s.fence(A);
    expect(fenceOf(s.readFor(30_000))).toBe('quiesce-unproved');
  });
});
