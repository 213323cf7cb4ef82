/**
 * One event of a run. `narration` is the demo's own text, `decided` a decision of the controller, `written` a write of it, `done`
 * a step that it completed, `moved` a pod that runs, `learn` and `next` what a run shows and what an operator does then.
 */
export interface TimelineEvent {
  readonly kind:
    | 'narration'
    | 'fault'
    | 'seen'
    | 'decided'
    | 'written'
    | 'done'
    | 'moved'
    | 'learn'
    | 'next'
    | 'error';
  /** Time since the fault, ms; negative before it. */
  readonly atMs: number;
  readonly text: string;
}

/** Receives every event of a run in order. */
export type TimelineListener = (event: TimelineEvent) => void;

/** Collects the events of a run in order, with times relative to the fault. */
export class Timeline {
  readonly #listener: TimelineListener;
  readonly #startedAtMs = Date.now();
  #faultAtMs: number | undefined;
  readonly events: TimelineEvent[] = [];

  constructor(listener: TimelineListener) {
    this.#listener = listener;
  }

  add(kind: TimelineEvent['kind'], text: string): void {
    if (kind === 'fault') this.#faultAtMs ??= Date.now();
    const event: TimelineEvent = { kind, atMs: Date.now() - (this.#faultAtMs ?? this.#startedAtMs), text };
    this.events.push(event);
    this.#listener(event);
  }
}
