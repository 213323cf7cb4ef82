import type { ConfigProblem } from './config-error.ts';
import type { RawValue } from './option-type.ts';

/** A value as a source holds it, not parsed yet. */
export interface RawOption {
  readonly key: string;
  readonly raw: RawValue;
  /** As the operator knows it: the flag, the environment variable, or file and line. */
  readonly source: string;
}

/** One entry of `backends`: options of its kind, that win over those given elsewhere. */
export interface RawBackend {
  /** Absent: the only kind there is. */
  readonly kind?: string;
  /** Absent: the host of its address. */
  readonly name?: string;
  /** With the keys of the table: `rds.address`. */
  readonly options: readonly RawOption[];
  /** File and line. */
  readonly source: string;
}

/** What one source holds, and what in it cannot be understood. */
export interface SourceReading {
  readonly options: readonly RawOption[];
  readonly problems: readonly ConfigProblem[];
  /** Only a file can list several backends. */
  readonly backends?: readonly RawBackend[];
}
