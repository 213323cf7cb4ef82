import { parseArgs } from 'node:util';
import { OPERATIONS } from './operations/catalogue.ts';
import { BACKEND_KINDS, type BackendKind } from './storage/storage-product.ts';

/** What the command was asked to do. */
export interface SimulateOptions {
  readonly from: number;
  readonly seeds: number;
  /** Seeds that run after those, from one that is drawn at random. */
  readonly newSeeds: number;
  readonly json: boolean;
  /** The kind of backend of every run; `undefined`: each seed draws one. */
  readonly backend: BackendKind | undefined;
  /** Print this seed as a timeline. */
  readonly replay: number | undefined;
  /** A file with the operations of the replayed seed, as a finding prints them. */
  readonly operations: string | undefined;
  /** Start no seed after so many seconds. */
  readonly budgetSeconds: number;
  /** End with the first finding. */
  readonly failFast: boolean;
  readonly shrink: boolean;
  /** Kinds of operations that are left out of what the seeds draw. */
  readonly without: readonly string[];
}

export const USAGE = `Usage: pnpm simulate [options]
  --seeds N            run N seeds (default 100)
  --from N             start with seed N (default 1)
  --new N              then run N seeds from a random one on
  --budget-seconds N   start no further seed after N seconds
  --backend KIND       rds or linux in every run (default: each seed draws one)
  --json               print one JSON line for each finding, and no progress bar
  --fail-fast          end with the first finding
  --without KIND,...   leave these kinds of operations out
  --no-shrink          print findings with all their operations
  --replay SEED        print the run of one seed as a timeline
  --operations JSON    with --replay: run these operations instead of those that the seed draws`;

/** @throws {TypeError} that names the option, its value and what was expected. */
export function parseOptions(args: readonly string[]): SimulateOptions {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== '--'),
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      new: { type: 'string', default: '0' },
      json: { type: 'boolean', default: false },
      backend: { type: 'string' },
      replay: { type: 'string' },
      operations: { type: 'string' },
      'budget-seconds': { type: 'string' },
      'fail-fast': { type: 'boolean', default: false },
      without: { type: 'string', default: '' },
      'no-shrink': { type: 'boolean', default: false },
    },
  });
  const budget = values['budget-seconds'];
  return {
    seeds: whole('--seeds', values.seeds, 1),
    newSeeds: whole('--new', values.new, 0),
    from: whole('--from', values.from, 0),
    json: values.json,
    backend: backendKind(values.backend),
    replay: values.replay === undefined ? undefined : whole('--replay', values.replay, 0),
    operations: values.operations,
    budgetSeconds: budget === undefined ? Number.POSITIVE_INFINITY : whole('--budget-seconds', budget, 1),
    failFast: values['fail-fast'],
    shrink: !values['no-shrink'],
    without: kinds(values.without),
  };
}

function backendKind(text: string | undefined): BackendKind | undefined {
  const kind = BACKEND_KINDS.find((each) => each === text);
  if (kind !== undefined || text === undefined) return kind;
  throw new TypeError(`Expected --backend to be ${BACKEND_KINDS.join(' or ')}, got ${JSON.stringify(text)}`);
}

function kinds(text: string): readonly string[] {
  const names = text.split(',').filter((name) => name !== '');
  for (const name of names) {
    if (!OPERATIONS.has(name))
      throw new TypeError(
        `Expected --without to name operations among ${[...OPERATIONS.keys()].join(', ')}, got ${name}`,
      );
  }
  return names;
}

function whole(option: string, text: string, min: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min) return value;
  throw new TypeError(
    `Expected ${option} to be a whole number of at least ${min}, got ${JSON.stringify(text)}`,
  );
}
