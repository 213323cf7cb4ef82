import type { EventRecorder } from '@reattach/core';
import { printable } from './printable.ts';

/** Longest message of an Event, characters. @see kube-apiserver, NoteLengthLimit of events.k8s.io */
const MAX_MESSAGE = 1_000;

/** A recorder whose messages hold no control characters, since `kubectl describe` prints them as they are. */
export function printableEvents(recorder: EventRecorder): EventRecorder {
  return {
    record: (event, signal) =>
      recorder.record({ ...event, message: printable(event.message, MAX_MESSAGE) }, signal),
  };
}
