import { CoreError } from '../model/errors.ts';
import type { TriggerReason } from '../model/trigger-reason.ts';

/** What a trigger runs. It gets every reason that was requested since the last pass started. */
export type TriggeredPass = (reasons: ReadonlySet<TriggerReason>) => Promise<void>;

/**
 * Turns bursts of `request()` into single passes; deadlines and periods belong to the callers.
 *
 * Invariants:
 * 1. passes never overlap, not even across two calls of `run()`;
 * 2. any number of requests before a pass starts cause one pass, and it knows all their reasons;
 * 3. requests made during a pass cause exactly one more pass after it: none is lost, none counts twice;
 * 4. once `signal` has aborted none starts, and requests do nothing until `run()` is called again.
 */
export class CoalescingTrigger {
  /** Requested since the last pass started; bounded by the number of distinct reasons. */
  #reasons = new Set<TriggerReason>();
  /** Ends the wait of an idle `run()`. */
  #wake: () => void = () => undefined;
  /** Requests count: before the first `run()`, while running, and after a pass rejected. Not after an abort. */
  #open = true;
  #running = false;

  /** Asks for a pass. Synchronous, never throws; remembered before `run()`, ignored after abort. */
  request(reason: TriggerReason): void {
    if (!this.#open) return;
    this.#reasons.add(reason);
    this.#wake();
  }

  /**
   * Runs passes until `signal` aborts, then resolves once the last pass has settled. May be called again afterwards.
   * @throws {CoreError} `ALREADY_RUNNING` while an earlier call has not settled; nothing was changed.
   * @throws whatever `pass` rejects with, except `signal.reason`; requests made since it started are kept for the next `run()`.
   */
  async run(pass: TriggeredPass, signal: AbortSignal): Promise<void> {
    if (this.#running) {
      throw new CoreError('ALREADY_RUNNING', 'not-applied', 'the trigger is already running passes');
    }
    const close = () => {
      this.#open = false;
      this.#reasons.clear();
      this.#wake();
    };
    this.#running = true;
    this.#open = true;
    signal.addEventListener('abort', close, { once: true });
    if (signal.aborted) close();
    try {
      await Promise.resolve(); // requests made in the same turn, right after this call, share the first pass
      while (this.#open) {
        if (this.#reasons.size === 0) {
          await this.#requested();
          continue;
        }
        const reasons = this.#reasons; // taken before the pass, so that later requests belong to the next one
        this.#reasons = new Set();
        await pass(reasons);
      }
    } catch (err) {
      if (!signal.aborted || err !== signal.reason) throw err;
    } finally {
      signal.removeEventListener('abort', close);
      this.#running = false;
    }
  }

  async #requested(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
  }
}
