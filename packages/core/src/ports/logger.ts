/** Structured fields of a log line. Keys are lowerCamelCase (`node`, `persistentVolume`, `err`). */
export type LogFields = Readonly<Record<string, unknown>>;

/** What libraries log through. Messages are constant, past tense, without full stop. Silent by default. */
export interface Logger {
  /** A pass ran. */
  debug(message: string, fields?: LogFields): void;
  /** State changed. */
  info(message: string, fields?: LogFields): void;
  /** Degraded, retrying. */
  warn(message: string, fields?: LogFields): void;
  /** Someone must act. */
  error(message: string, fields?: LogFields): void;
}

const ignore = () => undefined;

/** Drops everything. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
