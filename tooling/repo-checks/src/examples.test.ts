import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { documents, ROOT } from './documents.ts';

const run = promisify(execFile);

/** The TypeScript blocks of a document. */
function examplesIn(text: string): readonly string[] {
  return [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = '']) => code);
}

/** Checks each example as a module inside its package, whose dependencies it may import. @returns what tsc printed. */
async function typecheck(folder: string, examples: readonly string[]): Promise<string> {
  const parent = join(folder, 'node_modules');
  await mkdir(parent, { recursive: true });
  const scratch = await mkdtemp(join(parent, '.examples-'));
  try {
    await writeFile(
      join(scratch, 'tsconfig.json'),
      JSON.stringify({
        extends: join(ROOT, 'tooling/tsconfig/base.json'),
        compilerOptions: {
          noEmit: true,
          isolatedDeclarations: false,
          declaration: false,
          declarationMap: false,
        },
        include: ['*.mts'],
      }),
    );
    await Promise.all(examples.map((code, index) => writeFile(join(scratch, `example-${index}.mts`), code)));
    await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', scratch]);
    return '';
  } catch (err) {
    return err instanceof Error && 'stdout' in err ? String(err.stdout) : String(err);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

const withExamples = documents()
  .map((document) => ({ ...document, examples: examplesIn(document.text) }))
  .filter(({ examples }) => examples.length > 0);

describe('examples', () => {
  it('are found', () => {
    expect(withExamples.map(({ path }) => path)).toContain('packages/core/README.md');
  });

  it.each(withExamples)('of $path type-check', async ({ folder, examples }) => {
    expect(await typecheck(folder, examples)).toBe('');
  });

  it('would be refused with a type error', async () => {
    const [first] = withExamples;
    expect(await typecheck(first?.folder ?? '', ['const wrong: number = "text";\n'])).toContain('TS2322');
  });
});
