import { type Answer, type ApiRequest, InProcessApi, serverFailure } from '@reattach/kube-sim';
import type { RunRandom } from '../time/run-random.ts';
import type { SimulationClock } from '../time/simulation-clock.ts';

/** What becomes of a request. `broken`: the connection ends without an answer. */
export type Served =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'broken'; readonly code: 'ECONNREFUSED' | 'ECONNRESET' }
  | { readonly kind: 'hang' };

/** A request that was carried out, for oracles and the timeline. */
export interface AuditEntry {
  readonly atMs: number;
  readonly client: string;
  readonly request: ApiRequest;
  readonly answer: Answer;
}

/** An open watch, for faults. */
export interface BreakableWatch {
  readonly path: string;
  freeze(): void;
  thaw(): void;
  breakOff(how: 'reset' | 'expired' | 'end'): void;
}

/** How often requests fail at the server: probabilities, 0 to 1. */
export interface ApiFaults {
  /** 500 or 503, the request not carried out. */
  errors: number;
  /** The connection is reset; half of the time the request was carried out. */
  resets: number;
  /** 429. */
  throttles: number;
  /** Another client changes the object just before a write. */
  conflicts: number;
  /** No answer ever comes; half of the time the request was carried out. */
  hangs: number;
}

const NO_FAULTS: ApiFaults = { errors: 0, resets: 0, throttles: 0, conflicts: 0, hangs: 0 };

/** The API server of the simulated cluster, with its faults and an audit of what was asked. */
export class ApiServer {
  readonly api: InProcessApi;
  readonly faults: ApiFaults = { ...NO_FAULTS };
  /** Whether anything listens. */
  up = true;
  readonly #clock: SimulationClock;
  readonly #random: RunRandom;
  readonly #watches = new Set<BreakableWatch>();
  readonly #listeners = new Set<(entry: AuditEntry) => void>();
  readonly #before = new Set<(client: string, request: ApiRequest) => void>();
  #touches = 0;

  constructor(clock: SimulationClock, random: RunRandom, kubevirt: boolean) {
    this.#clock = clock;
    this.#random = random;
    this.api = new InProcessApi({ clock, kubevirt });
  }

  get store(): InProcessApi['store'] {
    return this.api.store;
  }

  /** Calls `listener` after every request that was carried out. */
  onServed(listener: (entry: AuditEntry) => void): void {
    this.#listeners.add(listener);
  }

  /** Calls `listener` just before a write is carried out. */
  beforeWrite(listener: (client: string, request: ApiRequest) => void): void {
    this.#before.add(listener);
  }

  register(watch: BreakableWatch): Disposable {
    this.#watches.add(watch);
    return { [Symbol.dispose]: () => void this.#watches.delete(watch) };
  }

  get watches(): readonly BreakableWatch[] {
    return [...this.#watches];
  }

  /** The process ends: every connection is reset, and nothing answers until `start()`. */
  stop(): void {
    this.up = false;
    for (const watch of this.#watches) watch.breakOff('reset');
  }

  start(): void {
    this.up = true;
  }

  clearFaults(): void {
    Object.assign(this.faults, NO_FAULTS);
  }

  /** Why a request is not carried out as it should be; `undefined`: it is. */
  refuse(kind: 'read' | 'write', _client: string, path: string): Exclude<Served, { kind: 'ok' }> | undefined {
    const { faults } = this;
    if (!this.up) return { kind: 'broken', code: 'ECONNREFUSED' };
    if (faults.errors > 0 && this.#random.chance(faults.errors)) {
      const [status, reason] = this.#random.chance(0.5)
        ? ([500, 'InternalError'] as const)
        : ([503, 'ServiceUnavailable'] as const);
      return { kind: 'answer', answer: serverFailure(status, reason, 'injected fault') };
    }
    if (faults.throttles > 0 && this.#random.chance(faults.throttles)) {
      return {
        kind: 'answer',
        answer: { status: 429, body: { message: 'Too many requests', details: { retryAfterSeconds: 1 } } },
      };
    }
    if (kind === 'write' && faults.conflicts > 0 && this.#random.chance(faults.conflicts)) this.#touch(path);
    return undefined;
  }

  /** Carries a request out, unless a fault is in the way. */
  serve(request: ApiRequest, client: string): Served {
    const kind = request.method === 'GET' ? 'read' : 'write';
    const refused = this.refuse(kind, client, request.path);
    if (refused) return refused;
    const { faults } = this;
    const breaks = faults.resets > 0 && this.#random.chance(faults.resets);
    const hangs = faults.hangs > 0 && this.#random.chance(faults.hangs);
    if ((breaks || hangs) && this.#random.chance(0.5)) return breaks ? RESET : HANG;
    if (kind === 'write') for (const listener of this.#before) listener(client, request);
    const answer = this.api.request(request);
    const entry: AuditEntry = { atMs: this.#clock.now(), client, request, answer };
    for (const listener of this.#listeners) listener(entry);
    if (breaks) return RESET;
    return hangs ? HANG : { kind: 'answer', answer };
  }

  /** Another client annotates the object a write is about, so that its resourceVersion moves on. */
  #touch(path: string): void {
    const match = /\/(nodes|persistentvolumes|volumeattachments)\/([^/]+)/.exec(path);
    const kind = match && KIND_OF[match[1] ?? ''];
    const name = decodeURIComponent(match?.[2] ?? '');
    if (!kind || !this.store.get(kind, name)) return;
    this.#touches += 1;
    this.store.patch(kind, name, {
      metadata: { annotations: { 'example.test/touched': String(this.#touches) } },
    });
  }
}

const RESET: Served = { kind: 'broken', code: 'ECONNRESET' };
const HANG: Served = { kind: 'hang' };
const KIND_OF: Readonly<Record<string, 'Node' | 'PersistentVolume' | 'VolumeAttachment'>> = {
  nodes: 'Node',
  persistentvolumes: 'PersistentVolume',
  volumeattachments: 'VolumeAttachment',
};
