/** Waits until `condition` holds, asking again every `everyMs`. @throws {Error} when it does not within `limitMs` */
export async function until(
  what: string,
  limitMs: number,
  condition: () => boolean | Promise<boolean>,
  everyMs = 200,
): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > endMs) throw new Error(`Waited ${limitMs / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
