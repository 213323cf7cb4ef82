import type { Clock } from '@reattach/core';
import type { Flow, FlowJudgement, PacketKind } from '../nvme/flow.ts';
import type { ConnectionTable } from '../tracking/connection-table.ts';
import type { Changes } from './changes.ts';
import type { FirewallRules } from './firewall-rules.ts';

/**
 * How packets get past the firewall and connection tracking unseen. `fasttrack`, `hw-offload`: those of connections that
 * tracking knows. `bridge`: all of them.
 */
export type Offload = 'none' | 'fasttrack' | 'hw-offload' | 'bridge';

/** The way of a packet through the device: raw rules, connection tracking, filter rules, target. */
export class PacketPath {
  readonly #clock: Clock;
  readonly #changes: Changes;
  readonly #raw: FirewallRules;
  readonly #filter: FirewallRules;
  readonly #connections: ConnectionTable;
  #offload: Offload = 'none';
  #isUp = true;

  constructor(
    clock: Clock,
    changes: Changes,
    raw: FirewallRules,
    filter: FirewallRules,
    connections: ConnectionTable,
  ) {
    this.#clock = clock;
    this.#changes = changes;
    this.#raw = raw;
    this.#filter = filter;
    this.#connections = connections;
  }

  get offload(): Offload {
    return this.#offload;
  }

  set offload(offload: Offload) {
    this.#changes.apply(() => {
      this.#offload = offload;
    });
  }

  /** Whether the device has power: without it nothing passes. */
  get isUp(): boolean {
    return this.#isUp;
  }

  set isUp(isUp: boolean) {
    this.#changes.apply(() => {
      this.#isUp = isUp;
    });
  }

  /** Whether a packet of the flow would reach its target now. Counts nothing. */
  passes(flow: Flow): boolean {
    if (!this.#isUp) return false;
    const isKnown = this.#connections.knows(flow, this.#clock.now());
    return this.#isUnseen(isKnown) || this.#judge(flow, isKnown).verdict !== 'drop';
  }

  /**
   * A packet arrives from the host; whether the target gets it.
   * @param acknowledgesAll whether the host has received everything that the target sent.
   * @param atMs when, if not now: idle traffic is computed late.
   */
  fromHost(
    flow: Flow,
    kind: PacketKind,
    sizeBytes: number,
    acknowledgesAll = true,
    atMs: number = this.#clock.now(),
  ): boolean {
    if (!this.#isUp) return false;
    const isKnown = this.#connections.knows(flow, atMs);
    if (this.#isUnseen(isKnown)) return true;
    const { verdict, isTracked, hits } = this.#judge(flow, isKnown);
    for (const rule of hits) rule.count(1, sizeBytes);
    if (isTracked)
      this.#connections.track(flow, { kind, isFromHost: true, sizeBytes, acknowledgesAll, atMs });
    return verdict !== 'drop';
  }

  /** The target sends a packet. @param acknowledgesAll whether the target has received everything that the host sent. */
  fromTarget(
    flow: Flow,
    kind: PacketKind,
    sizeBytes: number,
    acknowledgesAll = true,
    atMs: number = this.#clock.now(),
  ): void {
    if (!this.#isUp || this.#isUnseen(this.#connections.knows(flow, atMs))) return;
    this.#connections.track(flow, { kind, isFromHost: false, sizeBytes, acknowledgesAll, atMs });
  }

  /** Counts packets of a flow that passes and whose later packets determine its entry. */
  count(flow: Flow, fromHost: Traffic, fromTarget: Traffic, atMs: number): void {
    const isKnown = this.#connections.knows(flow, atMs);
    if (this.#isUnseen(isKnown)) return;
    const { isTracked, hits } = this.#judge(flow, isKnown);
    for (const rule of hits) rule.count(fromHost.packets, fromHost.bytes);
    if (!isTracked) return;
    this.#connections.count(flow, true, fromHost.packets, fromHost.bytes);
    this.#connections.count(flow, false, fromTarget.packets, fromTarget.bytes);
  }

  #isUnseen(isKnown: boolean): boolean {
    return this.#offload === 'bridge' || (this.#offload !== 'none' && isKnown);
  }

  #judge(flow: Flow, isKnown: boolean): FlowJudgement {
    const { version } = this.#changes;
    const { judged } = flow;
    if (judged?.version === version && judged.known === isKnown) return judged.judgement;
    const raw = this.#raw.judge('prerouting', flow, isKnown);
    const filter = raw.verdict === 'drop' ? undefined : this.#filter.judge(flow.chain, flow, isKnown);
    const isDropped = filter === undefined || filter.verdict === 'drop';
    const judgement = {
      verdict: isDropped ? ('drop' as const) : ('pass' as const),
      hits: [...raw.hits, ...(filter?.hits ?? [])],
      // A packet that a filter rule drops was tracked before, unless it would have been the first of its connection.
      isTracked: raw.verdict === 'pass' && (isKnown || !isDropped),
    };
    flow.judged = { version, known: isKnown, judgement };
    return judgement;
  }
}

interface Traffic {
  readonly packets: number;
  readonly bytes: number;
}
