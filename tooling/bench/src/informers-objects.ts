/** The cluster of design section 7. */
export const COUNTS = {
  nodes: 5_000,
  volumeAttachments: 20_000,
  persistentVolumes: 20_000,
  pods: 30_000,
} as const;

/** Node updates that are timed, and how fast they come. */
export const UPDATES = 5_000;
export const UPDATES_PER_SECOND = 500;

/** A label of an updated Node: when it was sent, epoch ms with fractions. */
export const SENT_AT_LABEL = 'bench/sent-at';
