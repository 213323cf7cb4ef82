import { runtimeError } from '../script/script-error.ts';
import type { ItemId } from '../script/value.ts';
import type { AddressList } from './address-list.ts';
import { inRange } from './ip-address.ts';
import type { ItemIds } from './item-ids.ts';
import type { Packet } from './packet.ts';

/** Properties of a rule that the model understands; a matcher that is absent matches everything. */
const MODELLED = [
  'chain',
  'action',
  'jump-target',
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
  'log',
  'log-prefix',
  'comment',
] as const;

/** Matchers RouterOS has beside them. A rule with one of these never hits. */
const NOT_MODELLED = [
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

/** What `add` and `set` take, in print order. `connection-state` is not for the raw table, which comes before tracking. */
export const RULE_PROPERTIES: readonly RuleProperty[] = [...MODELLED, ...NOT_MODELLED];

export type RuleProperty = (typeof MODELLED)[number] | (typeof NOT_MODELLED)[number];

export interface FirewallRule {
  readonly id: ItemId;
  /** Keys are `RULE_PROPERTIES`. */
  readonly properties: Map<string, string>;
  disabled: boolean;
  /** Set where the device would mark a rule as invalid; such a rule does nothing. */
  invalid: boolean;
  readonly dynamic: boolean;
  /** Packets it has hit. */
  packets: number;
  bytes: number;
}

/** What becomes of a packet. `untracked`: let through past connection tracking. */
export type Verdict = 'pass' | 'drop' | 'untracked';

/** The interface all packets come in by. */
export const INTERFACE = 'ether1';

/** Chains that jump in a circle end here. */
const MAX_JUMPS = 16;

/** The rules of `/ip/firewall/raw` or `/ip/firewall/filter`: the first one that fits and has a say decides. */
export class FirewallRules {
  readonly #ids: ItemIds;
  readonly #lists: AddressList;
  #rules: FirewallRule[] = [];

  constructor(ids: ItemIds, lists: AddressList) {
    this.#ids = ids;
    this.#lists = lists;
  }

  get rules(): readonly FirewallRule[] {
    return this.#rules;
  }

  /** @param before the rule it is put in front of; default: the end. */
  add(
    properties: Partial<Record<RuleProperty, string>>,
    options: {
      readonly before?: FirewallRule | undefined;
      readonly disabled?: boolean;
      readonly dynamic?: boolean;
    } = {},
  ): FirewallRule {
    const { before, disabled = false, dynamic = false } = options;
    const rule: FirewallRule = {
      id: this.#ids.next(),
      properties: new Map(Object.entries(properties)),
      disabled,
      invalid: false,
      dynamic,
      packets: 0,
      bytes: 0,
    };
    const index = before === undefined ? -1 : this.#rules.indexOf(before);
    this.#rules.splice(index === -1 ? this.#rules.length : index, 0, rule);
    return rule;
  }

  remove(rule: FirewallRule): void {
    if (rule.dynamic) throw runtimeError('failure: can not remove dynamic rule');
    this.#rules = this.#rules.filter((other) => other !== rule);
  }

  removeDynamic(): void {
    this.#rules = this.#rules.filter((rule) => !rule.dynamic);
  }

  resetCounters(): void {
    for (const rule of this.#rules) {
      rule.packets = 0;
      rule.bytes = 0;
    }
  }

  /** Counts the packet at each rule it hits. @param established whether connection tracking knows the packet's connection. */
  judge(chain: string, packet: Packet, established: boolean): Verdict {
    return this.#judgeChain(chain, packet, established, 0) ?? 'pass';
  }

  /** `undefined`: the chain has no say. */
  #judgeChain(chain: string, packet: Packet, established: boolean, depth: number): Verdict | undefined {
    if (depth > MAX_JUMPS) return undefined;
    for (const rule of this.#rules) {
      if (rule.disabled || rule.invalid || rule.properties.get('chain') !== chain) continue;
      if (!this.#matches(rule, packet, established)) continue;
      rule.packets += 1;
      rule.bytes += packet.sizeBytes;
      const action = rule.properties.get('action') ?? 'accept';
      if (action === 'accept') return 'pass';
      if (action === 'notrack') return 'untracked';
      if (action === 'drop' || action === 'reject') return 'drop';
      if (action === 'return') return undefined;
      if (action !== 'jump') continue;
      const target = rule.properties.get('jump-target') ?? '';
      const verdict = this.#judgeChain(target, packet, established, depth + 1);
      if (verdict) return verdict;
    }
    return undefined;
  }

  #matches({ properties }: FirewallRule, packet: Packet, established: boolean): boolean {
    const fits = (name: RuleProperty, test: (value: string) => boolean): boolean => {
      const value = properties.get(name);
      if (value === undefined || value === '') return true;
      return value.startsWith('!') ? !test(value.slice(1)) : test(value);
    };
    return (
      fits('protocol', (protocol) => protocol === 'tcp') &&
      fits('src-address', (range) => inRange(packet.srcAddress, range)) &&
      fits('dst-address', (range) => inRange(packet.dstAddress, range)) &&
      fits('src-address-list', (list) => this.#lists.contains(list, packet.srcAddress)) &&
      fits('dst-address-list', (list) => this.#lists.contains(list, packet.dstAddress)) &&
      fits('port', (ports) => portIn(packet.srcPort, ports) || portIn(packet.dstPort, ports)) &&
      fits('in-interface-list', (list) => list === 'all') &&
      NOT_MODELLED.every((name) => (properties.get(name) ?? '') === '') &&
      fits('src-port', (ports) => portIn(packet.srcPort, ports)) &&
      fits('dst-port', (ports) => portIn(packet.dstPort, ports)) &&
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
