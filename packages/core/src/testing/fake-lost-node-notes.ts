import type { LostNodeNote, LostNodeNotes } from '../ports/ports.ts';

/** Notes in memory, which outlives the processes of a test. */
export class FakeLostNodeNotes implements LostNodeNotes {
  readonly notes: Map<string, LostNodeNote> = new Map();
  /** How often they were read. */
  reads = 0;
  /** Runs before each write: throw to make it fail. */
  before: () => void | Promise<void> = () => undefined;

  async write(nodeName: string, note: LostNodeNote, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.before();
    this.notes.set(nodeName, note);
  }

  async read(signal: AbortSignal): Promise<ReadonlyMap<string, LostNodeNote>> {
    signal.throwIfAborted();
    this.reads += 1;
    return this.notes;
  }
}
