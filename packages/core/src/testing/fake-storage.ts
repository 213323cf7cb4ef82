import type { Clock } from '../clock.ts';
import type { NodeEvidence, StorageReading, UnknownReason } from '../facts.ts';
import type { StorageNode, StoragePort } from '../ports.ts';

type Scripted =
  | { readonly kind: 'live' }
  | { readonly kind: 'silent'; readonly silentSinceMs: number }
  | { readonly kind: 'unknown'; readonly reason: UnknownReason };

/** A storage box that says what it is told to say. A suspect it was told nothing about is `never-seen-live`. */
export class FakeStorage implements StoragePort {
  /** What was asked, in order. */
  readonly observations: {
    readonly suspects: readonly StorageNode[];
    readonly others: readonly StorageNode[];
  }[] = [];
  /** Runs before each answer: throw to make `observe` reject, wait to make it slow. */
  before: () => void | Promise<void> = () => undefined;
  /** Hosts live in each reading, when the box is up. */
  liveHosts = 1;
  /** `false`: every suspect is `unknown` with reason `box-unreachable`. */
  reachable = true;
  readonly #clock: Clock;
  readonly #scripted = new Map<string, Scripted>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  setLive(nodeName: string): void {
    this.#scripted.set(nodeName, { kind: 'live' });
  }

  /** @param silentSinceMs epoch ms; default now. */
  setSilent(nodeName: string, silentSinceMs: number = this.#clock.now()): void {
    this.#scripted.set(nodeName, { kind: 'silent', silentSinceMs });
  }

  setUnknown(nodeName: string, reason: UnknownReason): void {
    this.#scripted.set(nodeName, { kind: 'unknown', reason });
  }

  async observe(
    suspects: readonly StorageNode[],
    others: readonly StorageNode[],
    signal: AbortSignal,
  ): Promise<StorageReading> {
    signal.throwIfAborted();
    this.observations.push({ suspects, others });
    await this.before();
    const observedAtMs = this.#clock.now();
    const evidence = new Map(suspects.map(({ name }) => [name, this.#evidence(name, observedAtMs)]));
    return this.reachable
      ? { observedAtMs, evidence, liveHosts: this.liveHosts }
      : { observedAtMs, evidence };
  }

  #evidence(nodeName: string, observedAtMs: number): NodeEvidence {
    const detail = `scripted for ${nodeName}`;
    const unknown = (reason: UnknownReason): NodeEvidence => ({
      kind: 'unknown',
      observedAtMs,
      reason,
      detail,
    });
    if (!this.reachable) return unknown('box-unreachable');
    const scripted = this.#scripted.get(nodeName) ?? { kind: 'unknown', reason: 'never-seen-live' };
    if (scripted.kind === 'unknown') return unknown(scripted.reason);
    return scripted.kind === 'live'
      ? { kind: 'live', observedAtMs, lastActivityMs: observedAtMs, detail }
      : { kind: 'silent', observedAtMs, silentSinceMs: scripted.silentSinceMs, detail };
  }
}
