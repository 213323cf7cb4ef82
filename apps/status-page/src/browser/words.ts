import type { AttachmentState } from '../state-report.ts';

/** Node states as people say them. */
export const NODE_STATE_WORDS: Readonly<Record<AttachmentState['nodeState'], string>> = {
  ready: 'ready',
  'lease-stale': 'lease stale',
  'not-ready': 'not ready',
  gone: 'gone',
};

/** Decisions as people say them. */
export const DECISION_WORDS: Readonly<Record<AttachmentState['decision'], string>> = {
  keep: 'kept',
  wait: 'waiting',
  hold: 'held',
  fence: 'fencing',
  release: 'releasing',
};
