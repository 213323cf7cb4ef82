import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './documents.ts';

const lines = readFileSync(join(ROOT, 'deploy/Dockerfile'), 'utf8').split('\n');

/** test/e2e/image.test.ts carries it out. */
describe('deploy/Dockerfile', () => {
  it('pins every base image by a digest that the build has to give', () => {
    const images = lines.filter((line) => line.startsWith('FROM '));
    expect(images.length).toBe(3);
    for (const image of images) expect(image).toMatch(/^FROM \S+@\$\{[A-Z]+_DIGEST\}( AS [a-z]+)?$/);
    expect(lines.filter((line) => line.startsWith('ARG '))).toEqual([
      'ARG NODE_DIGEST',
      'ARG RUNTIME_DIGEST',
    ]);
  });

  it('downloads nothing but what the lockfile names', () => {
    const commands = lines.filter((line) => line.startsWith('RUN '));
    expect(commands).toContain('RUN .tools/pnpm install --frozen-lockfile');
    expect(commands.filter((command) => /\b(?:npx|npm|curl|wget|apt-get|corepack)\b/.test(command))).toEqual(
      [],
    );
  });
});
