import { build } from 'esbuild';
import { readSource, sourceFileNames } from './page-files.ts';

/** The status page as the bundle carries it, by file name: its modules are one script. */
export async function buildPage(): Promise<Readonly<Record<string, string>>> {
  const { outputFiles } = await build({
    entryPoints: [`${import.meta.dirname}/browser/main.ts`],
    bundle: true,
    minify: true,
    platform: 'browser',
    target: ['chrome120', 'firefox121', 'safari17'],
    format: 'esm',
    write: false,
  });
  const script = outputFiles[0]?.text ?? '';
  const others = sourceFileNames().filter((name) => !name.endsWith('.ts'));
  return { ...Object.fromEntries(others.map((name) => [name, readSource(name)])), 'main.ts': script };
}
