import type { AttachmentStore } from '../ports/ports.ts';

/** One write to the store. */
export type StoreCall =
  | {
      readonly kind: 'set';
      readonly volumeHandle: string;
      readonly nodeName: string;
      readonly attachedAtMs: number;
    }
  | { readonly kind: 'clear'; readonly volumeHandle: string };

/** Keeps records in a map and calls in a list. */
export class FakeAttachmentStore implements AttachmentStore {
  readonly calls: StoreCall[] = [];
  readonly records: Map<string, { readonly nodeName: string; readonly attachedAtMs: number }> = new Map();
  /** Runs before a write takes effect: throw to make it fail, wait to make it slow. */
  before: (call: StoreCall) => void | Promise<void> = () => undefined;

  async setAttached(
    volumeHandle: string,
    nodeName: string,
    attachedAtMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#begin({ kind: 'set', volumeHandle, nodeName, attachedAtMs }, signal);
    this.records.set(volumeHandle, { nodeName, attachedAtMs });
  }

  async clearAttached(volumeHandle: string, signal: AbortSignal): Promise<void> {
    await this.#begin({ kind: 'clear', volumeHandle }, signal);
    this.records.delete(volumeHandle);
  }

  async #begin(call: StoreCall, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.calls.push(call);
    await this.before(call);
  }
}
