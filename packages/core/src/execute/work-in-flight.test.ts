import { describe, expect, it } from 'vitest';
import { settle } from '../testing/fake-clock.ts';
import { WorkInFlight } from './work-in-flight.ts';

describe('WorkInFlight', () => {
  it('does one piece of work at a time under a key, and another once it has ended', async () => {
    const inFlight = new WorkInFlight<string>();
    const first = Promise.withResolvers<string>();
    expect(inFlight.start('a', () => first.promise)).toBe(true);
    expect(inFlight.start('a', () => Promise.reject(new Error('not started')))).toBe(false);
    expect(inFlight.start('b', () => Promise.resolve('b'))).toBe(true);
    await settle();
    expect([inFlight.has('a'), inFlight.has('b'), [...inFlight.inFlight]]).toEqual([true, false, ['a']]);
    first.resolve('a');
    await inFlight.settled();
    expect(inFlight.start('a', () => Promise.resolve('again'))).toBe(true);
    await inFlight.settled();
    expect(inFlight.take()).toEqual({ results: ['b', 'a', 'again'], failures: [] });
  });

  it('begins no more than its limit', async () => {
    const inFlight = new WorkInFlight<string>(1);
    inFlight.start('a', () => Promise.resolve('a'));
    expect(inFlight.start('b', () => Promise.resolve('b'))).toBe(false);
    await inFlight.settled();
    expect(inFlight.start('b', () => Promise.resolve('b'))).toBe(true);
  });

  it('gives each outcome once, failures apart', async () => {
    const inFlight = new WorkInFlight<string>();
    const failure = new Error('refused');
    inFlight.start('a', () => Promise.reject(failure));
    inFlight.start('b', () => Promise.resolve('b'));
    await inFlight.settled();
    expect(inFlight.take()).toEqual({ results: ['b'], failures: [failure] });
    expect(inFlight.take()).toEqual({ results: [], failures: [] });
  });

  it('gives what ended after a call to the next one', async () => {
    const inFlight = new WorkInFlight<string>();
    const slow = Promise.withResolvers<string>();
    inFlight.start('a', () => slow.promise);
    await settle();
    expect(inFlight.take().results).toEqual([]);
    slow.resolve('a');
    await inFlight.settled();
    expect(inFlight.take().results).toEqual(['a']);
  });

  it('does not wait for the keys of except', async () => {
    const inFlight = new WorkInFlight<string>();
    inFlight.start('hangs', () => new Promise(() => undefined));
    inFlight.start('ends', () => settle().then(() => 'ended'));
    await inFlight.ended(new Set(['hangs']));
    expect([inFlight.take().results, [...inFlight.inFlight]]).toEqual([['ended'], ['hangs']]);
  });

  it('has ended once what was in flight has, whatever was started meanwhile', async () => {
    const inFlight = new WorkInFlight<string>();
    inFlight.start('a', () => settle().then(() => 'a'));
    const ended = inFlight.ended(new Set());
    inFlight.start('b', () => new Promise(() => undefined));
    await ended;
    expect([...inFlight.inFlight]).toEqual(['b']);
  });

  it('is settled only once what was begun meanwhile has ended, too', async () => {
    const inFlight = new WorkInFlight<string>();
    const second = Promise.withResolvers<string>();
    inFlight.start('a', () => {
      void inFlight.settled().then(() => order.push('settled'));
      return Promise.resolve('a');
    });
    const order: string[] = [];
    inFlight.start('b', () => second.promise);
    await settle();
    inFlight.start('c', () => settle().then(() => 'c'));
    second.resolve('b');
    await inFlight.settled();
    await settle();
    expect([inFlight.inFlight.size, order]).toEqual([0, ['settled']]);
  });
});
