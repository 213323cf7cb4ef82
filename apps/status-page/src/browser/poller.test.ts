import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { Poller } from './poller.ts';

/** A poller over answers that the test gives. */
function setUp() {
  const clock = new FakeClock();
  const questions: { answer: (value: string) => void; fail: (err: Error) => void }[] = [];
  let changes = 0;
  const poller = new Poller<string>({
    clock,
    intervalMs: 2_000,
    timeoutMs: 8_000,
    read: (signal) =>
      new Promise((resolve, reject) => {
        questions.push({ answer: resolve, fail: reject });
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
    onChange: () => changes++,
  });
  return { clock, questions, poller, changes: () => changes };
}

describe('Poller', () => {
  it('asks one question at a time, and the next one after a pause', async () => {
    const { clock, questions, poller, changes } = setUp();
    void poller.ask();
    void poller.ask();
    expect(questions).toHaveLength(1);
    questions[0]?.answer('one');
    await clock.advance(0);
    expect(poller.polled.answer).toEqual({ value: 'one', atMs: clock.now() });
    expect(changes()).toBe(1);
    await clock.advance(1_999);
    expect(questions).toHaveLength(1);
    await clock.advance(1);
    expect(questions).toHaveLength(2);
  });

  it('keeps the last answer when a question fails, says why, and forgets it with the next answer', async () => {
    const { clock, questions, poller, changes } = setUp();
    void poller.ask();
    questions[0]?.answer('one');
    await clock.advance(2_000);
    questions[1]?.fail(new Error('refused'));
    await clock.advance(0);
    expect(poller.polled).toEqual({
      answer: { value: 'one', atMs: clock.now() - 2_000 },
      failure: 'refused',
    });
    expect(changes()).toBe(2);
    await clock.advance(2_000);
    questions[2]?.answer('two');
    await clock.advance(0);
    expect(poller.polled).toEqual({ answer: { value: 'two', atMs: clock.now() } });
  });

  it('gives up a question that is not answered', async () => {
    const { clock, questions, poller } = setUp();
    void poller.ask();
    await clock.advance(8_000);
    expect(poller.polled).toEqual({ failure: 'No answer within 8 s' });
    await clock.advance(2_000);
    expect(questions).toHaveLength(2);
  });

  it('rests longer after an answer that took long', async () => {
    const { clock, questions, poller } = setUp();
    void poller.ask();
    await clock.advance(3_000);
    questions[0]?.answer('large');
    await clock.advance(8_999);
    expect(questions).toHaveLength(1);
    await clock.advance(1);
    expect(questions).toHaveLength(2);
  });

  it('never rests for more than ten seconds', async () => {
    const { clock, questions, poller } = setUp();
    void poller.ask();
    await clock.advance(7_000);
    questions[0]?.answer('very large');
    await clock.advance(10_000);
    expect(questions).toHaveLength(2);
  });

  it('asks at once on request, and leaves one timer', async () => {
    const { clock, questions, poller } = setUp();
    void poller.ask();
    questions[0]?.answer('one');
    await clock.advance(500);
    void poller.ask();
    expect(questions).toHaveLength(2);
    questions[1]?.answer('two');
    await clock.advance(0);
    expect(clock.pendingTimers).toBe(1);
  });
});
