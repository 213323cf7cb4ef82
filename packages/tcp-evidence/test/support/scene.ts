import {
  type Enforcement,
  type Fence,
  ipAddresses,
  type StorageQuery,
  type StorageReading,
  type StorageSuspect,
} from '@reattach/core';
import { type BackendState, foldReading, INITIAL_STATE } from '../../src/backend-state.ts';
import { type FenceEntry, foldFences, NO_FENCES } from '../../src/fence-history.ts';
import { interpretReading } from '../../src/interpret.ts';
import type { TcpReading, TcpSession, VolumeCounters } from '../../src/tcp-reading.ts';

export const A = '10.0.5.1';
export const B = '10.0.5.2';
export const C = '10.0.5.3';
export const WINDOW_MS = 15_000;

/** A host with one session that speaks every `everyMs` until it stops. */
export interface SceneHost {
  readonly address: string;
  everyMs: number;
  lastMs: number;
  packets: number;
  isSpeaking: boolean;
  /** What tracking shows of its session; absent: nothing. */
  phase: TcpSession['phase'] | undefined;
  port: number;
}

/** A backend with tracking on virtual time: hosts speak, readings are folded in, and what they say is returned. */
export class Scene {
  nowMs = 1_800_000_000_000;
  uptimeMs = 500_000;
  readonly hosts: SceneHost[] = [];
  /** The controller's own connection is tracked. */
  hasControl = true;
  /** Tracking sees packets. */
  isTracking = true;
  state: BackendState = INITIAL_STATE;
  enforcement: Enforcement = { kind: 'enforced' };
  entries: FenceEntry[] = [];
  fences: readonly Fence[] = [];
  counters: Map<string, VolumeCounters> = new Map();
  hidden: TcpReading['hidden'];
  suspects: readonly StorageSuspect[] = [suspect('a', [A])];
  peers: StorageQuery['peers'] = [suspect('b', [B])];
  options: { isForeign?: (address: string) => boolean; isVisible?: (address: string) => boolean } = {};
  #history = NO_FENCES;
  #controlPackets = 0;
  #controlMs = 0;

  /** The host ends its session with a RST, which is a packet of it. */
  reset(host: SceneHost): void {
    host.packets += 1;
    host.isSpeaking = false;
    host.phase = 'closed';
  }

  host(address: string, everyMs = 1_000): SceneHost {
    const host: SceneHost = {
      address,
      everyMs,
      lastMs: this.nowMs,
      packets: 2,
      isSpeaking: true,
      phase: 'established',
      port: 40_000 + this.hosts.length,
    };
    this.hosts.push(host);
    return host;
  }

  /** Time passes; the hosts that speak do so. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (const host of this.hosts) {
      while (this.isTracking && host.isSpeaking && host.lastMs + host.everyMs <= endMs) {
        host.lastMs += host.everyMs;
        host.packets += 2;
      }
    }
    this.nowMs = endMs;
    this.uptimeMs += ms;
  }

  /** Our clock is set forward, or back. */
  step(ms: number): void {
    this.nowMs += ms;
    for (const host of this.hosts) host.lastMs += ms;
    this.#controlMs += ms;
  }

  fence(address: string, id = '00c0ffee', nodeName = 'a'): void {
    const [typed] = ipAddresses([address]);
    if (!typed) throw new TypeError('no address');
    const record = { id, nodeName, owner: 'test.csi', addresses: [typed], fencedAtMs: this.nowMs };
    this.entries.push({ record, address: typed, standing: 'in-force' });
  }

  read(): StorageReading {
    this.#controlPackets += 4;
    if (this.isTracking) this.#controlMs = this.nowMs;
    const query = { owner: 'test.csi', suspects: this.suspects, peers: this.peers };
    const reading: TcpReading = {
      source: 'tracking',
      requestedAtMs: this.nowMs,
      receivedAtMs: this.nowMs,
      uptimeMs: Math.floor(this.uptimeMs / 1_000) * 1_000,
      uptimeRequestedAtMs: this.nowMs,
      uptimeReceivedAtMs: this.nowMs,
      resolutionMs: 1_000,
      closingTimeoutMs: 10_000,
      ...(this.hidden && { hidden: this.hidden }),
      sessions: this.hosts.flatMap((host) => this.#session(host) ?? []),
      controls: this.hasControl
        ? [
            {
              host: '10.0.9.9',
              hostPort: 50_000,
              port: 22,
              phase: 'established',
              idleMs: this.nowMs - this.#controlMs,
              hostPackets: this.#controlPackets,
            },
          ]
        : [],
      counters: this.counters,
      inFlightIsComplete: false,
    };
    this.state = foldReading(this.state, reading, query);
    const folded = foldFences(this.#history, this.entries, {
      isEnforced: this.enforcement.kind === 'enforced',
      receivedAtMs: this.nowMs,
    });
    this.#history = folded.history;
    this.fences = folded.fences;
    return interpretReading({
      query,
      reading,
      state: this.state,
      fences: folded.fences,
      enforcement: this.enforcement,
      volumes: new Map([['pvc-a', 'slot-a']]),
      options: { activityWindowMs: WINDOW_MS, ...this.options },
    });
  }

  /** Reads every `pollMs` for `ms`; the last reading. */
  readFor(ms: number, pollMs = 2_000): StorageReading {
    let said = this.read();
    for (let passed = 0; passed < ms; passed += pollMs) {
      this.advance(pollMs);
      said = this.read();
    }
    return said;
  }

  #session(host: SceneHost): TcpSession | undefined {
    if (host.phase === undefined) return undefined;
    const idleMs = Math.floor((this.nowMs - host.lastMs) / 1_000) * 1_000;
    return {
      host: host.address,
      hostPort: host.port,
      port: 4420,
      phase: host.phase,
      ...(host.phase === 'established' && { idleMs: idleMs + 1_000 }),
      hostPackets: host.packets,
    };
  }
}

export function suspect(name: string, addresses: readonly string[]): StorageSuspect {
  const volumes = [{ volumeHandle: 'pvc-a', volumeAttributes: {}, singleWriter: true }];
  return { name, addresses: ipAddresses(addresses), volumes };
}

/** `live`, `silent`, or the reason of `unknown`. */
export function saidOf(reading: StorageReading, node = 'a'): string | undefined {
  const evidence = reading.evidence.get(node);
  return evidence?.kind === 'unknown' ? evidence.reason : evidence?.kind;
}

/** The kind of the fence state, or the reason why it is ineffective. */
export function fenceOf(reading: StorageReading, node = 'a'): string | undefined {
  const state = reading.fenceStates.get(node);
  return state?.kind === 'ineffective' ? state.reason : state?.kind;
}
