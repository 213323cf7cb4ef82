import type { BackendDescriptor, BackendOptionValue, BackendSettings } from '@reattach/core';
import { BACKEND_KINDS } from '../backends.ts';
import { backendKey } from './all-options.ts';
import { environmentVariableOf, flagOf } from './option.ts';
import type { RawBackend } from './raw-option.ts';
import { refuseUnsafe, unsafeKeys, validateOption } from './validate.ts';
import type { Values } from './values.ts';

/** One storage backend, as its descriptor creates it. */
export interface BackendConfig {
  /** Names the descriptor. */
  readonly kind: string;
  /** Unique among the backends. */
  readonly name: string;
  readonly settings: BackendSettings;
}

/** The backends of the file, else the one that options outside of `backends` describe. Without problems there is at least one. */
export function readBackends(
  values: Values,
  listed: readonly RawBackend[] | undefined,
): readonly BackendConfig[] {
  if (!listed) return readBackend(values, kindInUse(values));
  for (const { kind, options } of BACKEND_KINDS) {
    const address = Object.keys(options).find((name) => options[name]?.type === 'host-port');
    if (address === undefined) continue;
    for (const given of values.given(backendKey(kind, address))) {
      values.refuse(given, 'no address of a single backend where the file lists backends');
    }
  }
  const backends = listed.flatMap((entry) => readListed(values, entry));
  const names = backends.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    values.report({
      key: 'backends',
      value: JSON.stringify(twice),
      expected: 'a name of its own for each backend',
    });
  }
  return backends;
}

/** The kind whose options were given; without any, the first one, whose required options are then reported as missing. */
function kindInUse(values: Values): BackendDescriptor | undefined {
  const given = BACKEND_KINDS.filter(({ kind, options }) =>
    Object.keys(options).some((name) => values.given(backendKey(kind, name)).length > 0),
  );
  const [first, second] = given;
  if (first && second) {
    values.report({
      key: second.kind,
      expected: `options of one kind of backend (${first.kind} is configured too); list several under backends`,
    });
  }
  return first ?? BACKEND_KINDS[0];
}

function readListed(values: Values, { kind, name, options, source }: RawBackend): readonly BackendConfig[] {
  const descriptor = BACKEND_KINDS.find((each) => each.kind === kind);
  if (!descriptor) return [];
  const own = new Set(options.map(({ key }) => key));
  const overridden = [...own].map((key) =>
    key.endsWith('File') ? key.slice(0, -'File'.length) : `${key}File`,
  );
  const inner = values.with(
    options,
    overridden.filter((key) => !own.has(key)),
  );
  for (const key of own) validateOption(inner, key);
  if (values.get('unsafe.compressedTimes') !== true) {
    for (const key of unsafeKeys(inner).filter((each) => own.has(each))) refuseUnsafe(inner, key);
  }
  return readBackend(inner, descriptor, name, source);
}

function readBackend(
  values: Values,
  descriptor: BackendDescriptor | undefined,
  name?: string,
  source?: string,
): readonly BackendConfig[] {
  if (!descriptor) return [];
  const { kind, options } = descriptor;
  const settings: Record<string, BackendOptionValue> = {};
  for (const [option, { type, required }] of Object.entries(options)) {
    const key = backendKey(kind, option);
    const fileKey = Object.hasOwn(options, `${option}File`) ? `${key}File` : undefined;
    const isGiven = values.given(key).length > 0;
    const isInFile = fileKey !== undefined && values.given(fileKey).length > 0;
    if (required && !isGiven && !isInFile) reportMissing(values, key, fileKey, source);
    if (isGiven && isInFile) values.report({ key, expected: `${key} or ${fileKey}, not both` });
    const value = type === 'file' ? values.contentOf(key) : values.find(key);
    if (value !== undefined) settings[option] = value as BackendOptionValue;
  }
  return [{ kind, name: name ?? hostOf(settings) ?? kind, settings: withFiles(settings, options) }];
}

/** `hostKeyFile` is another way to give `hostKey`. A last newline is not part of the value. */
function withFiles(
  settings: Readonly<Record<string, BackendOptionValue>>,
  options: BackendDescriptor['options'],
): BackendSettings {
  return Object.fromEntries(
    Object.entries(settings).map(([option, value]) => {
      const plain = option.endsWith('File') ? option.slice(0, -'File'.length) : '';
      return Object.hasOwn(options, plain) ? [plain, (value as string).trim()] : [option, value];
    }),
  );
}

function hostOf(settings: BackendSettings): string | undefined {
  for (const value of Object.values(settings)) {
    if (typeof value === 'object' && 'host' in value) return value.host;
  }
  return undefined;
}

function reportMissing(
  values: Values,
  key: string,
  fileKey: string | undefined,
  source: string | undefined,
): void {
  const keys = fileKey === undefined ? [key] : [key, fileKey];
  const ways = keys.flatMap((each) => [flagOf(each), environmentVariableOf(each)]).join(', ');
  values.report({
    key: keys.join(' or '),
    source,
    expected: `${values.option(key).type.expected}, set by ${ways} or the file`,
  });
}
