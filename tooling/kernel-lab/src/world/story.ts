/** One thing that happened; `atMs` counts from the fault, or from the start before it. */
export interface StoryEvent {
  readonly kind: 'story' | 'fault' | 'seen' | 'decided' | 'moved' | 'error';
  readonly atMs: number;
  readonly text: string;
}

/** The last line of a run. */
export interface Summary {
  readonly kind: 'summary';
  readonly scenario: string;
  /** Attachments that the controller released. */
  readonly released: number;
  /** Blocks that a host overwrote after it had lost the volume. */
  readonly overwrites: number;
  /** Time from the fault to the last release; `null` when nothing was released. */
  readonly faultToReleasedMs: number | null;
  readonly ok: boolean;
  readonly problems: readonly string[];
}

/** Prints what happens in order, as text or as one JSON object a line. */
export class Story {
  readonly events: StoryEvent[] = [];
  readonly #write: (line: string) => void;
  readonly #isJson: boolean;
  readonly #startedAtMs = Date.now();
  #faultAtMs: number | undefined;

  constructor(write: (line: string) => void, isJson: boolean) {
    this.#write = write;
    this.#isJson = isJson;
  }

  get faultAtMs(): number | undefined {
    return this.#faultAtMs;
  }

  /** The first fault is the origin of all later times. */
  fault(text: string): void {
    this.#faultAtMs ??= Date.now();
    this.tell('fault', text);
  }

  tell(kind: StoryEvent['kind'], text: string): void {
    const event = { kind, atMs: Date.now() - (this.#faultAtMs ?? this.#startedAtMs), text };
    this.events.push(event);
    const seconds = `${this.#faultAtMs === undefined ? ' ' : '+'}${(event.atMs / 1000).toFixed(1)}`;
    this.#write(this.#isJson ? JSON.stringify(event) : `${seconds.padStart(8)} s  ${kind.padEnd(8)} ${text}`);
  }

  sum(summary: Summary): void {
    for (const problem of summary.problems) this.tell('error', problem);
    this.#write(JSON.stringify(summary));
  }
}
