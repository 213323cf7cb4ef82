import type { RawRule } from './snapshot.ts';

/** Whether some TCP packet to one of these ports, or to any when there are none, may meet an enabled, valid rule. */
export function mayMatch({ disabled, invalid, matchers }: RawRule, ports: readonly number[]): boolean {
  if (disabled || invalid || matchesTcp(matchers['protocol']) === 'never') return false;
  const dstPort = matchers['dst-port'] ?? matchers['port'];
  return ports.length === 0 || dstPort === undefined || ports.some((port) => mayMatchPort(dstPort, port));
}

/** Whether TCP meets the condition `protocol`. */
export function matchesTcp(protocol: string | undefined): 'always' | 'never' | 'maybe' {
  if (protocol === undefined || protocol === 'tcp' || protocol === '6') return 'always';
  if (protocol.startsWith('!')) return 'maybe';
  return 'never';
}

/** Whether the port surely meets the condition `dst-port`; a list that cannot be read covers nothing. */
export function coversPort(spec: string | undefined, port: number): boolean {
  return spec === undefined || (parsePorts(spec)?.some(([from, to]) => from <= port && port <= to) ?? false);
}

/** A list that cannot be read, such as a negated one, may match anything. */
function mayMatchPort(spec: string, port: number): boolean {
  return parsePorts(spec)?.some(([from, to]) => from <= port && port <= to) ?? true;
}

/** `4420,4430-4440` as ranges. */
function parsePorts(spec: string): readonly (readonly [number, number])[] | undefined {
  const ranges: [number, number][] = [];
  for (const part of spec.split(',')) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    if (!match) return undefined;
    ranges.push([Number(match[1]), Number(match[2] ?? match[1])]);
  }
  return ranges;
}
