import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/version.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The program itself, in an empty environment and without a terminal. */
function reattach(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const { PATH = '' } = process.env;
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--conditions=source', MAIN, ...args],
      { env: { PATH } },
      (_err, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

/** Nothing at all where nothing is expected. */
function saying(text: string): RegExp {
  return text === '' ? /^$/ : new RegExp(text.replaceAll(/[[\]<>|()*+?.\\^$]/g, String.raw`\$&`));
}

describe('main', { timeout: 60_000 }, () => {
  it.each<[readonly string[], number, string, string]>([
    [['--version'], 0, `reattach ${VERSION}\n`, ''],
    [['--help'], 0, 'reattach explain <name>', ''],
    [['status', '--help'], 0, 'Usage: reattach status [flags]', ''],
    [['completion', 'bash'], 0, 'complete -F _reattach reattach', ''],
    [['frobnicate'], 2, '', 'Expected one of the commands run, status, explain, plan'],
    [[], 2, '', 'Configuration was refused:'],
    [['run', '--mode=perhaps'], 2, '', 'expected observe or fence'],
    [
      ['status', '--server=http://127.0.0.1:2'],
      1,
      '',
      'No controller answers at http://127.0.0.1:2: ECONNREFUSED',
    ],
  ])('%j exits with %i', async (args, code, out, err) => {
    const run = await reattach(...args);
    expect(run).toEqual({
      code,
      out: expect.stringMatching(saying(out)),
      err: expect.stringMatching(saying(err)),
    });
  });
});
