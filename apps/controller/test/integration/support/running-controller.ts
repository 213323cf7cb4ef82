import type { LogFields } from '@reattach/core';
import type { FakeClock, LogLine, RecordingLogger } from '@reattach/core/testing';
import type { Controller } from '../../../src/lifecycle/controller.ts';
import { runWhile } from './pace.ts';

/** Lines of its log in the message of a test that fails. */
const LINES_QUOTED = 12;

/** One composed controller and everything it logged. */
export class RunningController {
  readonly controller: Controller;
  readonly #logger: RecordingLogger;
  readonly #clock: FakeClock;
  readonly #stop = new AbortController();
  #run: Promise<void> | undefined;

  constructor(controller: Controller, logger: RecordingLogger, clock: FakeClock) {
    this.controller = controller;
    this.#logger = logger;
    this.#clock = clock;
  }

  start(): void {
    this.#run = this.controller.run(this.#stop.signal);
    this.#run.catch(() => undefined); // `stopped` rejects with it
  }

  get isReady(): boolean {
    return this.controller.ready().ok;
  }

  get lines(): readonly LogLine[] {
    return this.#logger.lines;
  }

  /** Lines with this message and, where given, these fields. */
  logged(message: string, fields: LogFields = {}): readonly LogLine[] {
    return this.lines.filter(
      (line) =>
        line.message === message &&
        Object.entries(fields).every(([key, value]) => line.fields[key] === value),
    );
  }

  /** The reasons each volume was held for, in the order they were logged. */
  holds(persistentVolume: string): readonly unknown[] {
    return this.logged('Held release', { persistentVolume }).map(({ fields }) => fields['reason']);
  }

  /** What one of its HTTP endpoints answers. */
  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${this.controller.address}${path}`);
    return { status: response.status, text: await response.text() };
  }

  /** Its last lines, for the message of a test that fails. */
  tail(): string {
    const lines = this.lines.filter(({ level }) => level !== 'debug').slice(-LINES_QUOTED);
    return lines.map(({ level, message, fields }) => `${level} ${message} ${quote(fields)}`).join('\n');
  }

  /** Begins to stop without waiting for it. */
  abort(): void {
    this.#stop.abort(new Error('stopped by the test'));
  }

  /** Stops it and waits; idempotent. @throws what its run failed with. */
  async stop(): Promise<void> {
    this.abort();
    if (!this.#run) return;
    await runWhile(this.#clock, this.#run);
    await this.#run;
  }
}

function quote(fields: LogFields): string {
  return JSON.stringify(fields, (_key, value: unknown) => (value instanceof Error ? value.message : value));
}
