import { isIP } from 'node:net';
import { formatHostPort, type HostPort, parseHostPort } from './host-port.ts';

/** What a source holds: text from flags and environment, a scalar from YAML. */
export type RawValue = string | number | boolean;

/** How an option's value is read and described. */
export interface OptionType<T> {
  /** Column "Type" of the options table. */
  readonly label: string;
  /** Completes "expected ..." in a refusal. */
  readonly expected: string;
  /** @returns `undefined` when the value is not of this type. Never throws. */
  parse(raw: RawValue): T | undefined;
  /** The value as an operator would write it. */
  format(value: T): string;
}

const identity = (value: string) => value;

/** Any text that is not blank. */
export const text: OptionType<string> = {
  label: 'text',
  expected: 'text that is not empty',
  parse: (raw) => (typeof raw === 'string' && raw.trim() !== '' ? raw.trim() : undefined),
  format: identity,
};

/** The path of a file; whether it can be read is checked where it is read. */
export const path: OptionType<string> = { ...text, label: 'path', expected: 'the path of a file' };

/** `true` or `false`. As a flag it may stand alone, for `true`. */
export const boolean: OptionType<boolean> = {
  label: 'boolean',
  expected: 'true or false',
  parse: (raw) => (String(raw) === 'true' ? true : String(raw) === 'false' ? false : undefined),
  format: String,
};

/** One of `values`. @param note added to the refusal. */
export function choice<const T extends string>(values: readonly T[], note = ''): OptionType<T> {
  const listed = values.join(' or ');
  return {
    label: listed,
    expected: `${listed}${note}`,
    parse: (raw) => values.find((value) => value === raw),
    format: identity,
  };
}

/** A time, at least `min` ms: a number of milliseconds, or text such as `500ms`, `30s`, `5m`, `1h30m`. */
export function duration(min: number): OptionType<number> {
  return {
    label: 'duration',
    expected: `a duration such as 30s, 5m or 500ms (a plain number is milliseconds), at least ${formatMs(min)}`,
    parse(raw) {
      const value = decimal(raw) ?? (typeof raw === 'string' ? parseDuration(raw) : undefined);
      return value !== undefined && Number.isSafeInteger(value) && value >= min ? value : undefined;
    },
    format: formatMs,
  };
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function parseDuration(given: string): number | undefined {
  if (!/^(?:\d{1,15}(?:\.\d{1,3})?(?:ms|s|m|h|d)){1,5}$/.test(given)) return undefined;
  let sumMs = 0;
  for (const [, amount, unit = ''] of given.matchAll(/([\d.]+)([a-z]+)/g))
    sumMs += Number(amount) * (UNITS_MS[unit] ?? 0);
  return Math.round(sumMs);
}

/** In the largest unit that divides it: `30s`, `5m`, `1500ms`. */
function formatMs(ms: number): string {
  const unit =
    (['d', 'h', 'm', 's'] as const).find((each) => ms > 0 && ms % (UNITS_MS[each] ?? 1) === 0) ?? 'ms';
  return `${ms / (UNITS_MS[unit] ?? 1)}${unit}`;
}

/** A whole number, at least `min`. */
export function wholeNumber(min: number): OptionType<number> {
  return {
    label: 'whole number',
    expected: `a whole number, at least ${min}`,
    parse(raw) {
      const value = decimal(raw);
      return value !== undefined && Number.isSafeInteger(value) && value >= min ? value : undefined;
    },
    format: String,
  };
}

/** A share of a whole: more than 0, at most 1. */
export const fraction: OptionType<number> = {
  label: 'fraction',
  expected: 'a number above 0 and at most 1',
  parse(raw) {
    const value = decimal(raw);
    return value !== undefined && value > 0 && value <= 1 ? value : undefined;
  },
  format: String,
};

/** `host` or `host:port` to connect to. */
export function address(defaultPort: number): OptionType<HostPort> {
  return {
    label: 'host[:port]',
    expected: `host, host:port or [IPv6]:port (port 1 to 65535, default ${defaultPort})`,
    parse(raw) {
      const value = typeof raw === 'string' ? parseHostPort(raw, defaultPort) : undefined;
      return value && value.port > 0 ? value : undefined;
    },
    format: formatHostPort,
  };
}

/** `host:port` to listen on; port 0 takes a free one. */
export const listenAddress: OptionType<HostPort> = {
  label: 'host:port',
  expected: 'host:port or [IPv6]:port (port 0 to 65535)',
  parse: (raw) => (typeof raw === 'string' ? parseHostPort(raw) : undefined),
  format: formatHostPort,
};

/** IP addresses or host names, separated by commas. */
export const addressList: OptionType<readonly string[]> = {
  label: 'addresses',
  expected: 'addresses without ports, separated by commas',
  parse(raw) {
    const entries = String(raw)
      .split(',')
      .map((entry) => entry.trim());
    return entries.every((entry) => /^[A-Za-z0-9.:_-]+$/.test(entry)) ? entries : undefined;
  },
  format: (entries) => entries.join(','),
};

/** Ranges of IP addresses, separated by commas. */
export const cidrList: OptionType<readonly string[]> = {
  label: 'ranges',
  expected: 'ranges such as 10.0.0.0/16 or fd00::/8, separated by commas',
  parse(raw) {
    const entries = String(raw)
      .split(',')
      .map((entry) => entry.trim());
    return entries.every(isCidr) ? entries : undefined;
  },
  format: (entries) => entries.join(','),
};

function isCidr(range: string): boolean {
  const [network = '', prefix = '', ...more] = range.split('/');
  const version = isIP(network);
  return (
    more.length === 0 &&
    version > 0 &&
    /^\d{1,3}$/.test(prefix) &&
    Number(prefix) <= (version === 4 ? 32 : 128)
  );
}

const LABEL = /^([A-Za-z0-9._/-]+)=([A-Za-z0-9._-]*)$/;

/** Labels a node must carry, all of them, separated by commas. */
export const labels: OptionType<Readonly<Record<string, string>>> = {
  label: 'labels',
  expected: 'labels key=value, separated by commas',
  parse(raw) {
    const matches = String(raw)
      .split(',')
      .map((entry) => LABEL.exec(entry.trim()));
    if (!matches.every((match) => match !== null)) return undefined;
    return Object.fromEntries(matches.map(([, key = '', value = '']) => [key, value]));
  },
  format: (values) =>
    Object.entries(values)
      .map((entry) => entry.join('='))
      .join(','),
};

/** An http or https URL without credentials. */
export const httpUrl: OptionType<string> = {
  label: 'URL',
  expected: 'an http or https URL without user and password',
  parse(raw) {
    const url = typeof raw === 'string' ? URL.parse(raw) : null;
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) return undefined;
    return url.href.replace(/\/$/, '');
  },
  format: identity,
};

function decimal(raw: RawValue): number | undefined {
  if (typeof raw === 'number') return raw;
  return typeof raw === 'string' && /^\d+(?:\.\d+)?$/.test(raw) ? Number(raw) : undefined;
}
