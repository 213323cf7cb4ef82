import type { FirewallRule } from '../device/firewall-rule.ts';
import {
  type FirewallRules,
  INTERFACE,
  RULE_PROPERTIES,
  type RuleProperty,
} from '../device/firewall-rules.ts';
import { runtimeError } from '../script/script-error.ts';
import type { ItemId, Value } from '../script/value.ts';
import { oneOf, ports, required, yesNo } from './arguments.ts';
import type { ListMenu } from './menu.ts';

const ACTIONS = {
  raw: ['accept', 'drop', 'jump', 'log', 'notrack', 'passthrough', 'return'],
  filter: ['accept', 'drop', 'jump', 'log', 'passthrough', 'reject', 'return'],
} as const;

/** `/ip/firewall/raw` and `/ip/firewall/filter`. */
export function ruleMenu(table: 'raw' | 'filter', rules: FirewallRules): ListMenu {
  const find = (id: ItemId): FirewallRule => {
    const rule = rules.rules.find((candidate) => candidate.id.number === id.number);
    if (!rule) throw runtimeError('no such item');
    return rule;
  };
  /** Any chain will do: operators name their own. */
  const check = (values: ReadonlyMap<string, string>): void => {
    oneOf(values, 'action', ACTIONS[table]);
    oneOf(values, 'protocol', ['tcp', 'udp', 'icmp', '!tcp', '!udp', '!icmp']);
    yesNo(values, 'log');
    ports(values, 'src-port');
    ports(values, 'dst-port');
    ports(values, 'port');
    if (['src-port', 'dst-port', 'port'].some((name) => values.has(name)) && !values.has('protocol')) {
      throw runtimeError('failure: ports can be specified if proto is tcp, udp, udp-lite, dccp, sctp');
    }
  };
  return {
    kind: 'list',
    path: `/ip/firewall/${table}`,
    ordered: true,
    flags: [
      { letter: 'X', name: 'DISABLED', key: 'disabled' },
      { letter: 'I', name: 'INVALID', key: 'invalid' },
      { letter: 'D', name: 'DYNAMIC', key: 'dynamic' },
    ],
    brief: ['chain', 'action', 'protocol', 'dst-port', 'src-address-list'],
    stats: ['chain', 'action', 'bytes', 'packets'],
    quoted: new Set(['comment', 'log-prefix']),
    settable: new Set([
      'disabled',
      ...RULE_PROPERTIES.filter((name) => table === 'filter' || name !== 'connection-state'),
    ]),
    rows: () =>
      rules.rules.map((rule) => ({
        id: rule.id,
        values: new Map<string, Value>([
          ['disabled', rule.disabled],
          ['invalid', rule.invalid],
          ['dynamic', rule.dynamic],
          ...[...new Set([...RULE_PROPERTIES, ...rule.properties.keys()])].flatMap(
            (name): readonly (readonly [string, Value])[] => {
              const value = rule.properties.get(name);
              if (value === undefined) return [];
              return [[name, name === 'log' ? value === 'yes' : value]];
            },
          ),
          ['bytes', rule.bytes],
          ['packets', rule.packets],
        ]),
      })),
    add(values, before) {
      required(values, 'chain');
      check(values);
      const rule = rules.add(
        { action: 'accept', log: 'no', 'log-prefix': '', ...propertiesOf(values) },
        { before: before && find(before), disabled: yesNo(values, 'disabled') ?? false },
      );
      rule.invalid = isInvalid(rule);
      return rule.id;
    },
    set(id, values) {
      const rule = find(id);
      const properties = propertiesOf(values);
      check(new Map([...rule.properties, ...Object.entries(properties)]));
      for (const [name, value] of Object.entries(properties)) rule.set(name, value);
      rule.disabled = yesNo(values, 'disabled') ?? rule.disabled;
      rule.invalid = isInvalid(rule);
    },
    remove: (id) => rules.remove(find(id)),
  };
}

function propertiesOf(values: ReadonlyMap<string, string>): Partial<Record<RuleProperty, string>> {
  const properties: Partial<Record<RuleProperty, string>> = {};
  for (const name of RULE_PROPERTIES) {
    const value = values.get(name);
    if (value !== undefined) properties[name] = value;
  }
  return properties;
}

/** Whether a rule names an interface that the device does not have. */
function isInvalid(rule: FirewallRule): boolean {
  const name = rule.properties.get('in-interface');
  return name !== undefined && name !== '' && name !== INTERFACE;
}
