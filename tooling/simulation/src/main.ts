import { parseOptions, USAGE } from './options.ts';
import { replay } from './replay.ts';
import { simulate } from './simulate.ts';

try {
  const options = parseOptions(process.argv.slice(2));
  process.exitCode =
    options.replay === undefined ? await simulate(options) : await replay(options.replay, options);
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
