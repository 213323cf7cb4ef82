/** One thing that happened. `backend` and `cluster` are what was written where; `story` is the demo's own voice. */
export interface StoryEvent {
  readonly kind: 'story' | 'fault' | 'seen' | 'decided' | 'written' | 'moved' | 'error';
  /** Since the fault, ms; negative before it. */
  readonly atMs: number;
  readonly text: string;
}

/** The last line of a run. */
export interface Summary {
  readonly kind: 'summary';
  readonly scenario: string;
  readonly ok: boolean;
  /** Volumes released. */
  readonly released: number;
  /** Volumes held back and not released. */
  readonly held: number;
  /** From the moment Kubernetes reported the node lost until its last volume was let go, ms. */
  readonly detectToReleaseMs: number | null;
  /** From the fault until every replica ran again, ms. */
  readonly faultToRunningMs: number | null;
  /** Writes of a second writer that the backend accepted. */
  readonly doubleWrites: number;
  /** What did not come out as it must. */
  readonly problems: readonly string[];
}

/** Where the story is told. */
export interface Teller {
  tell(event: StoryEvent): void;
  sum(summary: Summary): void;
}

/** Collects what happens, in order, with times relative to the fault. */
export class Story {
  readonly #teller: Teller;
  readonly #startedAtMs = Date.now();
  #faultAtMs: number | undefined;
  readonly events: StoryEvent[] = [];

  constructor(teller: Teller) {
    this.#teller = teller;
  }

  get faultAtMs(): number | undefined {
    return this.#faultAtMs;
  }

  tell(kind: StoryEvent['kind'], text: string): void {
    if (kind === 'fault') this.#faultAtMs ??= Date.now();
    const event: StoryEvent = { kind, atMs: Date.now() - (this.#faultAtMs ?? this.#startedAtMs), text };
    this.events.push(event);
    this.#teller.tell(event);
  }
}
