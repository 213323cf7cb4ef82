import type { BackendHistory } from './backend-history.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { StorageBackend } from './storage-backend.ts';

/** How an option's text is read. `file`: the path of a file whose content is the value. */
export type BackendOptionType = 'text' | 'file' | 'host-port' | 'addresses' | 'milliseconds' | 'count';

/** The value of an option, as `create` receives it. */
export type BackendOptionValue =
  | string
  | number
  | readonly string[]
  | { readonly host: string; readonly port: number };

/** One setting of a backend: flag, configuration key, help and README row follow from it. */
export interface BackendOption {
  readonly type: BackendOptionType;
  /** Help text: what it is, its unit, what it is for. */
  readonly description: string;
  readonly required?: true;
  readonly default?: BackendOptionValue;
  /** Of `host-port`. */
  readonly defaultPort?: number;
  /** Its value never appears in a message. */
  readonly secret?: true;
  /** Of `file`: it is refused when every user can read it. */
  readonly ownerOnly?: true;
  /** Bounds of a number that are safe in production, and why. */
  readonly safe?: { readonly atLeast: number; readonly atMost?: number; readonly because: string };
}

/** Settings of one backend by option key, read and checked as the options say. */
export type BackendSettings = Readonly<Record<string, BackendOptionValue>>;

/** What a backend is given to work with. */
export interface BackendPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Absent: what it learns ends with the process. */
  readonly history?: BackendHistory;
  /** A number in [0, 1) for jitter; default `Math.random`. */
  readonly random?: () => number;
}

/** One thing that `doctor` examined. */
export interface BackendCheck {
  readonly name: string;
  /** `warning`: works, with a limit; `failed`: nothing at the backend is released until it is fixed. */
  readonly state: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  /** What to type, or to do, to fix it. */
  readonly fix?: string;
}

/** What `doctor` knows when it examines a backend. */
export interface BackendCheckContext {
  /** The backend may be written to: mode `fence`. */
  readonly mayFence: boolean;
  readonly nowMs: number;
  /** Of the backend, as `create` received them. */
  readonly settings: BackendSettings;
}

/** A kind of backend: all that a controller needs to know of a product. One per backend package. */
export interface BackendDescriptor {
  /** Names the product in the configuration: `rds`. */
  readonly kind: string;
  /** For people: `MikroTik ROSE Data Server`. */
  readonly title: string;
  /** By configuration key, below the backend's own. */
  readonly options: Readonly<Record<string, BackendOption>>;
  /**
   * A backend that is not connected yet; `start()` it.
   * @throws an error that names the option, its value and what was expected
   */
  create(name: string, settings: BackendSettings, ports: BackendPorts): StorageBackend;
  /** What an operator must set up at the backend, one check each, from its last reading; none was made: that it is unreachable. */
  check(backend: StorageBackend, context: BackendCheckContext): readonly BackendCheck[];
  /** A script for `doctor --print-probes`: commands that change nothing and answer what is not published about the product. */
  readonly probeScript?: string;
}
