/** Longest text of a backend's history, bytes. */
export const MAX_HISTORY_BYTES = 65_536;

/**
 * Keeps what a backend has learned about its hosts beyond the process: without it a restart, or a power cut of node *and*
 * backend, would end in `never-seen-live`. Only the backend reads the text.
 */
export interface BackendHistory {
  /** The text written last, by whichever process; `undefined` when there is none. @throws when it could not be read. */
  read(signal: AbortSignal): Promise<string | undefined>;
  /** Replaces the text. Does nothing in a process that may not write. @throws when it could not be written. */
  write(text: string, signal: AbortSignal): Promise<void>;
}
