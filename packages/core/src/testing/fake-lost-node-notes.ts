import type { LostNodeNote, LostNodeNotes } from '../ports.ts';

/** Notes in memory, which outlives the processes of a test. */
export class FakeLostNodeNotes implements LostNodeNotes {
  readonly notes: Map<string, LostNodeNote> = new Map();
  /** Runs before each write: throw to make it fail. */
  before: () => void | Promise<void> = () => undefined;

  async write(nodeName: string, note: LostNodeNote, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.before();
    this.notes.set(nodeName, note);
  }

  async read(nodeName: string, signal: AbortSignal): Promise<LostNodeNote | undefined> {
    signal.throwIfAborted();
    return this.notes.get(nodeName);
  }
}
