/** Value of the attribute `error.type`: the error's `code` when it has one, else its name. */
export function errorType(err: unknown): string {
  if (!(err instanceof Error)) return typeof err;
  return 'code' in err && typeof err.code === 'string' ? err.code : err.name;
}
