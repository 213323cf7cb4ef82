import { canonicalIp } from '@reattach/tcp-evidence';
import * as z from 'zod';
import type { Section } from './reply.ts';

/** What the nft table really does: addresses that it drops, ports for which it drops them, and what is missing. */
export interface FenceTable {
  readonly addresses: ReadonlySet<string>;
  readonly ports: ReadonlySet<number>;
  /** Why packets of fenced addresses are not dropped; absent when they are. */
  readonly problem?: string;
}

const Element = z.union([
  z.string(),
  z.number(),
  z.looseObject({ elem: z.looseObject({ val: z.union([z.string(), z.number()]) }) }),
]);
const Table = z.object({
  nftables: z.array(
    z.union([
      z.object({ table: z.looseObject({ flags: z.union([z.string(), z.array(z.string())]).optional() }) }),
      z.object({
        chain: z.looseObject({
          name: z.string(),
          type: z.string().optional(),
          hook: z.string().optional(),
          prio: z.number().optional(),
        }),
      }),
      z.object({ set: z.looseObject({ name: z.string(), elem: z.array(Element).optional() }) }),
      z.object({ rule: z.looseObject({ chain: z.string(), expr: z.array(z.looseObject({})) }) }),
      z.looseObject({}),
    ]),
  ),
});

/** Priority of the chain: before connection tracking, so that dropped packets refresh nothing (nft(8), "raw"). */
const RAW_PRIORITY = -300;

/** The statements of the two rules, as `nft -j` prints them; counters change. Any other statement is a condition we do not know. */
const RULES = { fenced4: ruleText('ip', 'fenced4'), fenced6: ruleText('ip6', 'fenced6') } as const;

/**
 * Reads `nft -j list table inet reattach`. A rule with any statement beyond the expected ones does not count: it may be narrowed.
 * Never throws: what is not understood is a problem.
 */
export function parseFenceTable(section: Section | undefined): FenceTable {
  if (!section || section.status === 'missing') return nothing('the table inet reattach does not exist');
  if (section.status === 'failed')
    return nothing(`the table could not be read: ${section.lines.join(' ').slice(0, 120)}`);
  const parsed = Table.safeParse(jsonOf(section.lines.join('\n')));
  if (!parsed.success) return nothing('the table was not understood');
  const objects = parsed.data.nftables as readonly Record<string, Record<string, unknown>>[];
  const flags = objects.flatMap(({ table }) => (table ? [table['flags']].flat() : []));
  const chain = objects.find((object) => object['chain']?.['name'] === 'prerouting')?.['chain'];
  const addresses = new Set(
    [...elements(objects, 'fenced4'), ...elements(objects, 'fenced6')].map(canonical),
  );
  const ports = new Set(elements(objects, 'ports').map(Number));
  return { addresses, ports, ...problemOf(flags, chain, rulesOf(objects)) };
}

function problemOf(
  flags: readonly unknown[],
  chain: Record<string, unknown> | undefined,
  rules: readonly string[],
): { readonly problem?: string } {
  if (flags.includes('dormant')) return { problem: 'the table is dormant' };
  if (!chain) return { problem: 'the chain prerouting is missing' };
  if (chain['hook'] !== 'prerouting' || chain['type'] !== 'filter' || chain['prio'] !== RAW_PRIORITY) {
    return {
      problem: `the chain prerouting has hook ${String(chain['hook'])} and priority ${String(chain['prio'])}, expected prerouting and ${RAW_PRIORITY}`,
    };
  }
  // A foreign rule before ours could accept the packets first.
  const foreign = rules.findIndex((rule) => rule !== RULES.fenced4 && rule !== RULES.fenced6);
  const missing = (Object.keys(RULES) as (keyof typeof RULES)[]).find((name) => {
    const at = rules.indexOf(RULES[name]);
    return at === -1 || (foreign !== -1 && foreign < at);
  });
  return missing === undefined
    ? {}
    : { problem: `the drop rule for ${missing} is missing, changed, or comes after another rule` };
}

/** The texts of the rules of chain prerouting, counters left out. */
function rulesOf(objects: readonly Record<string, Record<string, unknown>>[]): readonly string[] {
  return objects
    .flatMap(({ rule }) => (rule?.['chain'] === 'prerouting' ? [rule['expr'] as readonly object[]] : []))
    .map((statements) => JSON.stringify(statements.filter((statement) => !('counter' in statement))));
}

function match(left: object, right: string): object {
  return { match: { op: '==', left: { payload: left }, right } };
}

function ruleText(protocol: string, set: string): string {
  return JSON.stringify([
    match({ protocol, field: 'saddr' }, `@${set}`),
    match({ protocol: 'tcp', field: 'dport' }, '@ports'),
    { drop: null },
  ]);
}

function elements(
  objects: readonly Record<string, Record<string, unknown>>[],
  name: string,
): readonly string[] {
  const set = objects.find((object) => object['set']?.['name'] === name)?.['set'];
  return ((set?.['elem'] ?? []) as readonly z.infer<typeof Element>[])
    .filter((element) => typeof element !== 'object' || !('timeout' in element.elem)) // one with an end cuts nothing for long
    .map((element) => String(typeof element === 'object' ? element.elem.val : element));
}

function canonical(address: string): string {
  return canonicalIp(address) ?? address;
}

function nothing(problem: string): FenceTable {
  return { addresses: new Set(), ports: new Set(), problem };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
