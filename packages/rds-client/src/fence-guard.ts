import type { Enforcement } from '@reattach/core';
import { addDropRule, FENCE_LIST, FIND_DROP_RULE as FIND, portList } from './routeros/queries.ts';
import { coversPort, matchesTcp, mayMatch } from './rule-match.ts';
import type { RawRule } from './snapshot.ts';

/** Actions after which the following rules still see the packet, or which drop it themselves. */
const HARMLESS: ReadonlySet<string> = new Set([
  'drop',
  'log',
  'passthrough',
  'add-src-to-address-list',
  'add-dst-to-address-list',
]);

/** Conditions the drop rule may have; any other would let some packet of a fenced node pass. */
const ALLOWED: ReadonlySet<string> = new Set(['src-address-list', 'protocol', 'dst-port']);

/**
 * Whether the raw table drops what the fence list names: an enabled, valid rule of chain prerouting with action drop,
 * no condition but the list, TCP and ports that cover every export, and no enabled rule before it that could let such a
 * packet leave the chain.
 */
export function fenceGuard(rules: readonly RawRule[], exportPorts: readonly number[]): Enforcement {
  const candidates = rules.map((rule, index) => ({ rule, index })).filter(({ rule }) => isDropRule(rule));
  let first: Enforcement | undefined;
  for (const { rule, index } of candidates) {
    const guard = judge(rule, rules.slice(0, index), exportPorts);
    if (guard.kind === 'enforced') return guard;
    first ??= guard;
  }
  return first ?? unenforced('there is no drop rule for the fence list', addCommand(rules, exportPorts));
}

/** It drops what the fence list names, perhaps under further conditions. */
export function isDropRule({ action, matchers }: RawRule): boolean {
  return action === 'drop' && matchers['src-address-list'] === FENCE_LIST;
}

function judge(rule: RawRule, before: readonly RawRule[], ports: readonly number[]): Enforcement {
  const { disabled, invalid, matchers } = rule;
  if (disabled) return unenforced('the drop rule is disabled', `/ip/firewall/raw/enable ${FIND}`);
  const extra = Object.keys(matchers).find((key) => !ALLOWED.has(key));
  const isTcp = matchesTcp(matchers['protocol']);
  if (invalid || extra !== undefined || isTcp !== 'always') {
    const why = invalid
      ? 'is invalid'
      : `has a condition that fenced nodes may not meet: ${extra ?? `protocol=${matchers['protocol']}`}`;
    return unenforced(`the drop rule ${why}`, addCommand([...before, rule], ports));
  }
  const open = ports.filter((port) => !coversPort(matchers['dst-port'], port));
  if (open.length > 0) {
    return unenforced(
      `the drop rule leaves out export port ${open.join(', ')}`,
      `/ip/firewall/raw/set ${FIND} dst-port=${portList(ports)}`,
    );
  }
  const bypass = before.find((earlier) => mayPass(earlier, ports));
  if (!bypass) return { kind: 'enforced' };
  return unenforced(
    `an earlier rule with action ${bypass.action} may let fenced nodes pass`,
    `/ip/firewall/raw/move ${FIND} destination=0`,
  );
}

function mayPass(rule: RawRule, ports: readonly number[]): boolean {
  return !HARMLESS.has(rule.action) && mayMatch(rule, ports);
}

function addCommand(rules: readonly RawRule[], ports: readonly number[]): string {
  return addDropRule(ports, 'reattach', rules.length === 0);
}

function unenforced(detail: string, fix: string): Enforcement {
  return { kind: 'not-enforced', detail, fix };
}
