import type { Flow } from '../nvme/flow.ts';
import { runtimeError } from '../script/script-error.ts';
import type { AddressList } from './address-list.ts';
import type { Changes } from './changes.ts';
import { FirewallRule } from './firewall-rule.ts';
import { inRange } from './ip-address.ts';
import type { ItemIds } from './item-ids.ts';

/** Matchers that the model understands; one that is absent matches everything. */
const MODELLED_MATCHERS = [
  'protocol',
  'src-address',
  'dst-address',
  'src-address-list',
  'dst-address-list',
  'src-port',
  'dst-port',
  'port',
  'in-interface',
  'in-interface-list',
  'connection-state',
] as const;

/** Properties that match nothing. */
const OTHER_PROPERTIES = ['chain', 'action', 'jump-target', 'log', 'log-prefix', 'comment'] as const;

/** Matchers of RouterOS that the model does not understand. A rule with one of these never hits. */
const UNMODELLED_MATCHERS = [
  'content',
  'dscp',
  'dst-address-type',
  'dst-limit',
  'fragment',
  'hotspot',
  'icmp-options',
  'in-bridge-port',
  'in-bridge-port-list',
  'ingress-priority',
  'ipsec-policy',
  'ipv4-options',
  'limit',
  'nth',
  'out-bridge-port',
  'out-bridge-port-list',
  'out-interface',
  'out-interface-list',
  'packet-mark',
  'packet-size',
  'per-connection-classifier',
  'priority',
  'psd',
  'random',
  'src-address-type',
  'src-mac-address',
  'tcp-flags',
  'tcp-mss',
  'time',
  'tls-host',
  'ttl',
] as const;

/** What `add` and `set` take, in print order. */
export const RULE_PROPERTIES: readonly RuleProperty[] = [
  'chain',
  'action',
  'jump-target',
  ...MODELLED_MATCHERS,
  'log',
  'log-prefix',
  'comment',
  ...UNMODELLED_MATCHERS,
];

export type RuleProperty =
  | (typeof OTHER_PROPERTIES)[number]
  | (typeof MODELLED_MATCHERS)[number]
  | (typeof UNMODELLED_MATCHERS)[number];

const UNDERSTOOD: ReadonlySet<string> = new Set([...MODELLED_MATCHERS, ...OTHER_PROPERTIES]);

/** What a table does with a packet. `untracked`: it passes without connection tracking. */
export type Verdict = 'pass' | 'drop' | 'untracked';

/** A verdict, and the rules that count the packet. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly hits: readonly FirewallRule[];
}

/** The interface all packets come in by. */
export const INTERFACE = 'ether1';

/** Chains that jump in a circle end here. */
const MAX_JUMPS = 16;

/** The rules of `/ip/firewall/raw` or `/ip/firewall/filter`: the first rule that matches and ends the walk decides. */
export class FirewallRules {
  readonly #ids: ItemIds;
  readonly #lists: AddressList;
  readonly #changes: Changes;
  #rules: FirewallRule[] = [];

  constructor(ids: ItemIds, lists: AddressList, changes: Changes) {
    this.#ids = ids;
    this.#lists = lists;
    this.#changes = changes;
  }

  get rules(): readonly FirewallRule[] {
    return this.#rules;
  }

  /** @param options.before the rule it is put in front of; default: the end. */
  add(
    properties: Partial<Record<RuleProperty, string>> | Readonly<Record<string, string>>,
    options: {
      readonly before?: FirewallRule | undefined;
      readonly disabled?: boolean;
      readonly dynamic?: boolean;
    } = {},
  ): FirewallRule {
    const { before, disabled = false, dynamic = false } = options;
    const rule = new FirewallRule(this.#ids.next(), { ...properties }, { disabled, dynamic }, this.#changes);
    const index = before === undefined ? -1 : this.#rules.indexOf(before);
    this.#changes.apply(() => this.#rules.splice(index === -1 ? this.#rules.length : index, 0, rule));
    return rule;
  }

  /** @throws {ScriptError} for a dynamic rule. */
  remove(rule: FirewallRule): void {
    if (rule.dynamic) throw runtimeError('failure: can not remove dynamic rule');
    this.#changes.apply(() => {
      this.#rules = this.#rules.filter((other) => other !== rule);
    });
  }

  /** What a reboot does: dynamic rules and counters are lost. */
  reboot(): void {
    this.#rules = this.#rules.filter((rule) => !rule.dynamic);
    for (const rule of this.#rules) rule.resetCounters();
  }

  /** @param established whether connection tracking knows the flow. */
  judge(chain: string, flow: Flow, established: boolean): Judgement {
    const hits: FirewallRule[] = [];
    return { verdict: this.#judgeChain(chain, flow, established, hits, 0) ?? 'pass', hits };
  }

  /** `undefined`: no rule of the chain ended the walk. */
  #judgeChain(
    chain: string,
    flow: Flow,
    established: boolean,
    hits: FirewallRule[],
    depth: number,
  ): Verdict | undefined {
    if (depth > MAX_JUMPS) return undefined;
    for (const rule of this.#rules) {
      if (rule.disabled || rule.invalid || rule.properties.get('chain') !== chain) continue;
      if (!this.#matches(rule, flow, established)) continue;
      hits.push(rule);
      const action = rule.properties.get('action') ?? 'accept';
      if (action === 'accept') return 'pass';
      if (action === 'notrack') return 'untracked';
      if (action === 'drop' || action === 'reject') return 'drop';
      if (action === 'return') return undefined;
      if (action !== 'jump') continue;
      const target = rule.properties.get('jump-target') ?? '';
      const verdict = this.#judgeChain(target, flow, established, hits, depth + 1);
      if (verdict) return verdict;
    }
    return undefined;
  }

  #matches({ properties }: FirewallRule, flow: Flow, established: boolean): boolean {
    for (const [name, value] of properties) if (value !== '' && !UNDERSTOOD.has(name)) return false;
    const fits = (name: (typeof MODELLED_MATCHERS)[number], test: (value: string) => boolean): boolean => {
      const value = properties.get(name);
      if (value === undefined || value === '') return true;
      return value.startsWith('!') ? !test(value.slice(1)) : test(value);
    };
    return (
      fits('protocol', (protocol) => protocol === 'tcp') &&
      fits('src-address', (range) => inRange(flow.hostAddress, range)) &&
      fits('dst-address', (range) => inRange(flow.targetAddress, range)) &&
      fits('src-address-list', (list) => this.#lists.contains(list, flow.hostAddress)) &&
      fits('dst-address-list', (list) => this.#lists.contains(list, flow.targetAddress)) &&
      fits('port', (ports) => portIn(flow.hostPort, ports) || portIn(flow.targetPort, ports)) &&
      fits('in-interface-list', (list) => list === 'all') &&
      fits('src-port', (ports) => portIn(flow.hostPort, ports)) &&
      fits('dst-port', (ports) => portIn(flow.targetPort, ports)) &&
      fits('in-interface', (name) => name === INTERFACE) &&
      fits('connection-state', (states) => states.split(',').includes(established ? 'established' : 'new'))
    );
  }
}

/** `4420`, `4420,4430` and `4420-4430`. */
function portIn(port: number, ports: string): boolean {
  return ports.split(',').some((part) => {
    const [low = '', high = low] = part.split('-');
    return port >= Number(low) && port <= Number(high);
  });
}
