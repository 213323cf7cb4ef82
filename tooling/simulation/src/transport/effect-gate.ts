import type { SimulatedProcess } from '../time/simulated-process.ts';

/** What is to happen to a process at one of its next effects. */
export interface Ambush {
  /** Effects that still pass. */
  after: number;
  /** `crash-before`: the effect is never sent. `crash-after`: it is carried out. `pause`: it is sent when the process goes on. */
  readonly kind: 'crash-before' | 'crash-after' | 'pause';
  readonly strike: () => void;
}

/** The only way from a process to the world: every effect (a write to the API server or to a backend) passes here. */
export class EffectGate {
  readonly #process: SimulatedProcess;
  #ambush: Ambush | undefined;

  constructor(process: SimulatedProcess) {
    this.#process = process;
  }

  /** Replaces what was planned before. */
  plan(ambush: Ambush): void {
    this.#ambush = ambush;
  }

  /** Runs `send` unless the process dies first; one that is paused sends when it goes on. */
  pass(isEffect: boolean, send: () => void): void {
    if (!this.#process.isAlive) return;
    const ambush = this.#ambush;
    if (!isEffect || !ambush) {
      send();
      return;
    }
    ambush.after -= 1;
    if (ambush.after >= 0) {
      send();
      return;
    }
    this.#ambush = undefined;
    if (ambush.kind === 'crash-after') send();
    ambush.strike();
    if (ambush.kind === 'pause') this.#process.schedule(0, send);
  }
}
