import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { finalStageOf } from './dockerfile.ts';

const text = readFileSync(fileURLToPath(new URL('../../../deploy/Dockerfile', import.meta.url)), 'utf8');

describe('finalStageOf', () => {
  it('finds the files and settings of deploy/Dockerfile', () => {
    expect(finalStageOf(text)).toMatchObject({
      workdir: '/app',
      files: ['dist/main.mjs', 'dist/main.mjs.LEGAL.txt', 'dist/sbom.cdx.json', 'dist/licences.txt'],
      user: '65532:65532',
      ports: ['9808/tcp'],
      env: expect.arrayContaining(['MALLOC_ARENA_MAX=2']),
      entrypoint: expect.arrayContaining(['/nodejs/bin/node', '/app/main.mjs']),
      command: ['run'],
    });
  });

  it('refuses an instruction that it would lose', () => {
    expect(() => finalStageOf(`${text}\nRUN true\n`)).toThrow('the last stage has "RUN true"');
    expect(() => finalStageOf(`${text}\nCOPY a b\n`)).toThrow('expected COPY --from=build');
  });
});
