const DECIMAL = /^[1-9]\d*$/;

/**
 * Whether version `a` comes before or is `b`. Versions are decimal numbers that grow with every write.
 * `false` when they cannot be compared, so that nothing is taken for old by mistake.
 * @see https://github.com/kubernetes/enhancements/issues/5504
 */
export function isNotNewer(a: string, b: string): boolean {
  if (!DECIMAL.test(a) || !DECIMAL.test(b)) return false;
  return a.length === b.length ? a <= b : a.length < b.length;
}

/** Whether version `a` comes before `b`. @see isNotNewer */
export function isOlder(a: string, b: string): boolean {
  return a !== b && isNotNewer(a, b);
}
