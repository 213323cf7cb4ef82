import { parseIpv4 } from '../box/ip-address.ts';
import type { Dialect } from '../dialect.ts';
import { formatDuration } from '../script/duration.ts';
import { Duration, type Value, type ValueMap } from '../script/value.ts';

/** A record as scripts get it (`print as-value`, `get`): times and addresses in the dialect's spelling. */
export function scriptRecord(values: ValueMap, dialect: Dialect): ValueMap {
  const record = new Map<string, Value>();
  const portsInside = dialect.addressStyle === 'with-port' && values.has('src-port');
  for (const [key, value] of values) {
    if (portsInside && key.endsWith('-port')) continue;
    const port = portsInside ? values.get(key.replace(/-address$/, '-port')) : undefined;
    record.set(key, scriptValue(value, typeof port === 'number' ? port : undefined, dialect));
  }
  return record;
}

function scriptValue(value: Value, port: number | undefined, dialect: Dialect): Value {
  if (value instanceof Duration) return formatDuration(value.ms, dialect.durationStyle);
  if (typeof value !== 'string' || parseIpv4(value) === undefined) return value;
  if (port !== undefined) return `${value}:${port}`;
  return dialect.addressStyle === 'ipv4-mapped' ? `::ffff:${value}` : value;
}
