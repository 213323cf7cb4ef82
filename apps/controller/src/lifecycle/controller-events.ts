import type { ClusterEvent, EventRecorder, ObjectRef, PassReport } from '@reattach/core';

export interface ControllerEventsOptions {
  readonly events: EventRecorder;
  /** The pod of this process; `undefined`: there is none, so nothing is recorded. Asked until it has answered once. */
  readonly findPod: (signal: AbortSignal) => Promise<ObjectRef | undefined>;
  readonly signal: AbortSignal;
}

/** What concerns the controller itself, as Events on its own pod. Messages repeat word for word, so that they are counted. */
export class ControllerEvents implements AsyncDisposable {
  readonly #options: ControllerEventsOptions;
  #pod: Promise<ObjectRef | undefined> | undefined;
  /** In the order of the calls. */
  #recording: Promise<void> = Promise.resolve();

  constructor(options: ControllerEventsOptions) {
    this.#options = options;
  }

  disconnected(backend: string, why: string): void {
    const message = `Storage backend ${backend} is not connected, its volumes are held: ${why}`;
    this.#record({ type: 'Warning', reason: 'StorageDisconnected', message });
  }

  reconnected(backend: string): void {
    this.#record({
      type: 'Normal',
      reason: 'StorageReconnected',
      message: `Storage backend ${backend} is connected again`,
    });
  }

  /** @param report absent: the startup pass failed. */
  started(mode: string, report: PassReport | undefined): void {
    if (!report) {
      const message = `The startup pass in mode ${mode} failed; it is tried again`;
      this.#record({ type: 'Warning', reason: 'StartupReconciliation', message });
      return;
    }
    const { decisions, healthyCount = 0 } = report;
    const lost = decisions.filter(({ node }) => node.kind !== 'ready');
    const held = lost.filter(({ verdict }) => verdict.kind === 'hold');
    const message = `Checked ${decisions.length + healthyCount} attachments in mode ${mode}: ${lost.length} on lost nodes, ${held.length} of them held; fences: ${report.fences.length}`;
    this.#record({ type: 'Normal', reason: 'StartupReconciliation', message });
  }

  /** Waits until the Events are written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#recording;
  }

  #record(event: Omit<ClusterEvent, 'regarding'>): void {
    this.#recording = this.#recordAfter(this.#recording, event);
  }

  /** Never rejects. */
  async #recordAfter(before: Promise<void>, event: Omit<ClusterEvent, 'regarding'>): Promise<void> {
    const { events, findPod, signal } = this.#options;
    await before;
    try {
      const pod = await (this.#pod ??= findPod(signal));
      if (pod) await events.record({ ...event, regarding: { kind: 'Pod', ...pod } }, signal);
    } catch {
      this.#pod = undefined; // aborted: the recorder itself never rejects
    }
  }
}
