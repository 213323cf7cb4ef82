import { describe, expect, it } from 'vitest';
import { Teardown } from './teardown.ts';

describe('Teardown', () => {
  it('disposes in reverse order and names what is left', async () => {
    const seen: (readonly string[])[] = [];
    const teardown = new Teardown();
    for (const name of ['telemetry', 'http-server', 'reconciler']) {
      teardown.defer(name, () => void seen.push(teardown.pending));
    }
    await teardown[Symbol.asyncDispose]();
    expect(seen).toEqual([
      ['reconciler', 'http-server', 'telemetry'],
      ['http-server', 'telemetry'],
      ['telemetry'],
    ]);
    expect(teardown.pending).toEqual([]);
  });

  it('gives the others their turn when one fails, and keeps its name', async () => {
    const disposed: string[] = [];
    const teardown = new Teardown();
    teardown.defer('first', () => void disposed.push('first'));
    teardown.defer('second', () => Promise.reject(new Error('stuck')));
    await expect(teardown[Symbol.asyncDispose]()).rejects.toThrow('stuck');
    expect(disposed).toEqual(['first']);
    expect(teardown.pending).toEqual(['second']);
  });
});
