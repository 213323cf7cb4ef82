import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './documents.ts';

const MOST_FILES = 45;
const text = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
const [, walk = ''] = /^## One node's death, file by file\n([^]*?)^## /m.exec(text) ?? [];
const files = [...walk.matchAll(/`((?:packages|apps)\/[\w./-]+\.ts)`/g)].map(([, path = '']) => path);

describe('the walk of one node’s death in docs/architecture.md', () => {
  it('goes from the watch event to the Event on the claim, in numbered steps', () => {
    const steps = [...walk.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number));
    expect(steps.length).toBeGreaterThan(10);
    expect(steps).toEqual(steps.map((_, index) => index + 1));
    expect(files[0]).toBe('packages/k8s-watch/src/reflector.ts');
    expect(files.slice(-2)).toContain('packages/k8s-actions/src/kube-event-recorder.ts');
  });

  it('names only files that exist', () => {
    expect(files.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it(`visits at most ${MOST_FILES} files`, () => {
    expect(new Set(files).size).toBeGreaterThan(20);
    expect(new Set(files).size).toBeLessThanOrEqual(MOST_FILES);
  });
});
