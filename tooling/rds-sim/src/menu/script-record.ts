import { parseIpv4 } from '../device/ip-address.ts';
import type { Dialect } from '../dialect.ts';
import { formatDuration } from '../script/duration.ts';
import { Duration, type Value, type ValueMap } from '../script/value.ts';

/**
 * A record as scripts get it (`print as-value`, `get`): times and addresses in the dialect's spelling.
 * @param wanted which keys; default all.
 */
export function scriptRecord(
  values: ValueMap,
  dialect: Dialect,
  wanted: (key: string) => boolean = () => true,
): ValueMap {
  const record = new Map<string, Value>();
  const portsInside = dialect.addressStyle === 'with-port' && values.has('src-port') && wanted('src-port');
  for (const [key, value] of values) {
    if (!wanted(key) || (portsInside && key.endsWith('-port'))) continue;
    const port = portsInside ? portOf(key, values, wanted) : undefined;
    record.set(key, scriptValue(value, port, dialect));
  }
  return record;
}

function portOf(addressKey: string, values: ValueMap, wanted: (key: string) => boolean): number | undefined {
  const key = addressKey.replace(/-address$/, '-port');
  const port = wanted(key) ? values.get(key) : undefined;
  return typeof port === 'number' ? port : undefined;
}

function scriptValue(value: Value, port: number | undefined, dialect: Dialect): Value {
  if (value instanceof Duration) return formatDuration(value.ms, dialect.durationStyle);
  if (typeof value !== 'string' || (port === undefined && dialect.addressStyle !== 'ipv4-mapped'))
    return value;
  if (parseIpv4(value) === undefined) return value;
  if (port !== undefined) return `${value}:${port}`;
  return dialect.addressStyle === 'ipv4-mapped' ? `::ffff:${value}` : value;
}
