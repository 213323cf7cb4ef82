/** Formats epoch ms as Kubernetes' MicroTime, which has six digits after the seconds. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}
