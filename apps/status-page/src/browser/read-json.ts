/**
 * What the controller answers at `path`, relative to the page, so that a proxy may put both below a path of its own.
 * @throws {Error} that says in a few words what was answered instead
 */
export async function readJson<T>(path: string, signal: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { signal, cache: 'no-store', headers: { accept: 'application/json' } });
  } catch (err) {
    if (signal.aborted) throw signal.reason;
    throw new Error('The controller cannot be reached', { cause: err });
  }
  if (!response.ok) throw new Error(`The controller answered HTTP ${response.status}`);
  try {
    return (await response.json()) as T;
  } catch (err) {
    if (signal.aborted) throw signal.reason;
    throw new Error('The answer of the controller was not understood', { cause: err });
  }
}
