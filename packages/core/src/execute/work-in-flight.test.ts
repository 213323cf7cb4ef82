import { describe, expect, it } from 'vitest';
import { settle } from '../testing/fake-clock.ts';
import { WorkInFlight } from './work-in-flight.ts';

describe('WorkInFlight', () => {
  it('does one piece of work at a time under a key, and another once it has ended', async () => {
    const works = new WorkInFlight<string>();
    const first = Promise.withResolvers<string>();
    expect(works.begin('a', () => first.promise)).toBe(true);
    expect(works.begin('a', () => Promise.reject(new Error('not begun')))).toBe(false);
    expect(works.begin('b', () => Promise.resolve('b'))).toBe(true);
    await settle();
    expect([works.has('a'), works.has('b'), [...works.keys]]).toEqual([true, false, ['a']]);
    first.resolve('a');
    await works.settled();
    expect(works.begin('a', () => Promise.resolve('again'))).toBe(true);
    await works.settled();
    expect(works.take()).toEqual({ results: ['b', 'a', 'again'], failures: [] });
  });

  it('begins no more than its limit', async () => {
    const works = new WorkInFlight<string>(1);
    works.begin('a', () => Promise.resolve('a'));
    expect(works.begin('b', () => Promise.resolve('b'))).toBe(false);
    await works.settled();
    expect(works.begin('b', () => Promise.resolve('b'))).toBe(true);
  });

  it('gives each outcome once, failures apart', async () => {
    const works = new WorkInFlight<string>();
    const failure = new Error('refused');
    works.begin('a', () => Promise.reject(failure));
    works.begin('b', () => Promise.resolve('b'));
    await works.settled();
    expect(works.take()).toEqual({ results: ['b'], failures: [failure] });
    expect(works.take()).toEqual({ results: [], failures: [] });
  });

  it('gives what ended after a call to the next one', async () => {
    const works = new WorkInFlight<string>();
    const slow = Promise.withResolvers<string>();
    works.begin('a', () => slow.promise);
    await settle();
    expect(works.take().results).toEqual([]);
    slow.resolve('a');
    await works.settled();
    expect(works.take().results).toEqual(['a']);
  });

  it('does not wait for what it is told to leave', async () => {
    const works = new WorkInFlight<string>();
    works.begin('hangs', () => new Promise(() => undefined));
    works.begin('ends', () => settle().then(() => 'ended'));
    await works.ended(new Set(['hangs']));
    expect([works.take().results, [...works.keys]]).toEqual([['ended'], ['hangs']]);
  });

  it('has ended once what was under way has, whatever was begun meanwhile', async () => {
    const works = new WorkInFlight<string>();
    works.begin('a', () => settle().then(() => 'a'));
    const ended = works.ended(new Set());
    works.begin('b', () => new Promise(() => undefined));
    await ended;
    expect([...works.keys]).toEqual(['b']);
  });

  it('is settled only once what was begun meanwhile has ended, too', async () => {
    const works = new WorkInFlight<string>();
    const second = Promise.withResolvers<string>();
    works.begin('a', () => {
      void works.settled().then(() => order.push('settled'));
      return Promise.resolve('a');
    });
    const order: string[] = [];
    works.begin('b', () => second.promise);
    await settle();
    works.begin('c', () => settle().then(() => 'c'));
    second.resolve('b');
    await works.settled();
    await settle();
    expect([works.keys.size, order]).toEqual([0, ['settled']]);
  });
});
