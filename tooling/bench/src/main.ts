import { parseArgs } from 'node:util';
import { backend } from './backend.ts';
import type { BenchOptions } from './bench-options.ts';
import { hostileHttp } from './hostile-http.ts';
import { hostileSsh } from './hostile-ssh.ts';
import { informers } from './informers.ts';
import { passes } from './passes.ts';
import { resident } from './resident.ts';
import { startUp } from './start-up.ts';
import { triggerToWrite } from './trigger-to-write.ts';

const BENCHES: ReadonlyMap<string, (options: BenchOptions) => Promise<void>> = new Map([
  ['backend', backend],
  ['hostile-http', hostileHttp],
  ['hostile-ssh', hostileSsh],
  ['informers', informers],
  ['passes', passes],
  ['resident', resident],
  ['start-up', startUp],
  ['trigger-to-write', triggerToWrite],
]);

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

function readArguments(): { readonly names: readonly string[]; readonly options: BenchOptions } {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: { json: { type: 'boolean' }, scale: { type: 'string' } },
    });
    const unknown = positionals.filter((name) => !BENCHES.has(name));
    if (unknown.length > 0)
      fail(`Expected names among ${[...BENCHES.keys()].join(', ')}, got ${unknown.join(', ')}`);
    const { json = false, scale } = values;
    if (scale !== undefined && scale !== '1' && scale !== '10')
      fail(`Expected 1 or 10 for --scale, got ${scale}`);
    return {
      names: positionals,
      options: { json, scale: scale === undefined ? scale : scale === '1' ? 1 : 10 },
    };
  } catch (err) {
    return fail(err instanceof Error ? err.message : String(err));
  }
}

const { names, options } = readArguments();
for (const [name, bench] of BENCHES) if (names.length === 0 || names.includes(name)) await bench(options);
