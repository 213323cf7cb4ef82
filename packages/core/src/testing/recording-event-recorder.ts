import type { ClusterEvent, EventRecorder } from '../ports/ports.ts';

/** Keeps every Event in memory. */
export class RecordingEventRecorder implements EventRecorder {
  readonly events: ClusterEvent[] = [];

  async record(event: ClusterEvent): Promise<void> {
    this.events.push(event);
  }
}
