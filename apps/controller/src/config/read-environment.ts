import type { ConfigProblem } from './config-error.ts';
import { didYouMean } from './did-you-mean.ts';
import { environmentVariableOf, type OptionTable } from './option.ts';
import type { RawOption, SourceReading } from './raw-option.ts';

const PREFIX = 'REATTACH_';
/** Kubernetes describes Services named `reattach...` to every pod of the namespace in variables of these forms. */
const SERVICE_LINK =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

/** Reads the `REATTACH_` variables. */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  table: OptionTable,
): SourceReading {
  const byVariable = new Map<string, string>(
    [...table.keys()].map((key) => [environmentVariableOf(key), key]),
  );
  const options: RawOption[] = [];
  const problems: ConfigProblem[] = [];
  for (const [name, raw] of Object.entries(env)) {
    if (raw === undefined || !name.startsWith(PREFIX)) continue;
    const key = byVariable.get(name);
    if (key !== undefined) options.push({ key, raw, source: name });
    else if (!SERVICE_LINK.test(name)) {
      const hint = didYouMean(name, [...byVariable.keys()]);
      problems.push({ key: name, expected: `a known environment variable (see --help)${hint}` });
    }
  }
  return { options, problems };
}
