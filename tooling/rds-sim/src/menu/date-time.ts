/** `2026-01-31 12:34:56`, as RouterOS prints points in time since 7.10. @param atMs epoch ms. */
export function dateTime(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');
}
