import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../documents.ts';

/** An option of the controller, as its README has it; a test there holds README and code equal. */
export interface DocumentedOption {
  readonly key: string;
  readonly flag: string;
  readonly variable: string;
  readonly type: string;
  readonly meaning: string;
}

export interface Schema {
  readonly [keyword: string]: unknown;
}

/** Options that the chart sets itself, and those that make no sense in a pod or with several. */
const NOT_IN_VALUES = new Set([
  'config',
  'kubeconfig',
  'context',
  'rds.privateKeyFile',
  'rds.passphraseFile',
  'rds.hostKeyFile',
  'linux-nvmet.privateKeyFile',
  'linux-nvmet.hostKeyFile',
  'http.listen',
  'http.probeListen',
  'audit.file',
  'leaderElection.namespace',
  'leaderElection.identity',
  'unsafe.compressedTimes',
]);

const ROW = /^\| `([^`]+)`<br>`([^`]+)`<br>`([^`]+)` \| ([^|]+) \| [^|]* \| (.+) \|$/gm;

/** The table of options of the controller's README. */
export function documentedOptions(): readonly DocumentedOption[] {
  const readme = readFileSync(join(ROOT, 'apps/controller/README.md'), 'utf8');
  return [...readme.matchAll(ROW)].map(([, key = '', flag = '', variable = '', type = '', meaning = '']) => ({
    key,
    flag,
    variable,
    type,
    meaning,
  }));
}

/** What `config` of `values.schema.json` has to be for these options. */
export function configSchema(options: readonly DocumentedOption[]): Schema {
  const tree: Record<string, unknown> = {};
  for (const option of options) {
    if (NOT_IN_VALUES.has(option.key)) continue;
    const path = option.key.split('.');
    const last = path.pop() ?? '';
    let node = tree;
    for (const name of path) node = (node[name] ??= {}) as Record<string, unknown>;
    node[last] = typeSchema(option);
  }
  // The kinds of backends: each has an SSH address. Where kinds share a name, the first one's range is kept; the controller checks each.
  const kinds = options.flatMap(({ key, type }) =>
    type === 'host[:port]' ? [key.replace('.address', '')] : [],
  );
  const entries = kinds
    .toReversed()
    .flatMap((kind) =>
      options.flatMap((option): (readonly [string, Schema])[] =>
        option.key.startsWith(`${kind}.`) ? [[option.key.slice(kind.length + 1), typeSchema(option)]] : [],
      ),
    );
  const config = objectSchema(tree);
  return {
    ...config,
    properties: {
      ...(config['properties'] as object),
      backends: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['address'],
          properties: {
            kind: { enum: kinds },
            name: TEXT,
            ...Object.fromEntries(entries),
          },
        },
      },
    },
  };
}

const TEXT: Schema = { type: 'string', minLength: 1 };

function objectSchema(tree: Readonly<Record<string, unknown>>): Schema {
  const properties = Object.entries(tree).map(([name, node]) => {
    const isLeaf = typeof node === 'object' && node !== null && ('type' in node || 'enum' in node);
    return [name, isLeaf ? node : objectSchema(node as Record<string, unknown>)] as const;
  });
  return { type: 'object', additionalProperties: false, properties: Object.fromEntries(properties) };
}

function typeSchema({ type, meaning }: DocumentedOption): Schema {
  if (type === 'boolean') return { type: 'boolean' };
  if (type === 'fraction') return { type: 'number', minimum: 0, maximum: 1 };
  if (type === 'duration' || type === 'whole number') {
    const [, from, to] = /Safe: (?:at least )?(\w+)(?: to (\w+))?/.exec(meaning) ?? [];
    const bounds = {
      minimum: from === undefined ? 1 : numberOf(from),
      ...(to !== undefined && { maximum: numberOf(to) }),
    };
    if (type === 'whole number') return { type: 'integer', ...bounds };
    return { type: ['integer', 'string'], ...bounds, pattern: '^([0-9.]+(ms|s|m|h|d))+$' };
  }
  const choices = type.split(' or ');
  return choices.length > 1 ? { enum: choices } : TEXT;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `10s` as milliseconds, `3` as it is. */
function numberOf(text: string): number {
  const [, amount, unit = ''] = /^(\d+)([a-z]*)$/.exec(text) ?? [];
  return Number(amount) * (UNITS_MS[unit] ?? 1);
}
