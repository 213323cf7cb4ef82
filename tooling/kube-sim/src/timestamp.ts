/** Formats epoch ms as `metav1.Time`: whole seconds. */
export function timestamp(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** Formats epoch ms as `metav1.MicroTime`: six digits, as in a Lease. */
export function microTimestamp(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}
