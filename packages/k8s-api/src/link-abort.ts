/** A controller that aborts when a parent does; disposing takes its listeners off the parents. */
export interface LinkedAbort extends Disposable {
  readonly controller: AbortController;
}

/** Like `AbortSignal.any`, but leaves nothing behind on signals that outlive the request. */
export function linkAbort(...parents: readonly AbortSignal[]): LinkedAbort {
  const controller = new AbortController();
  const listeners = parents.map((parent) => {
    const onAbort = () => controller.abort(parent.reason);
    if (parent.aborted) onAbort();
    else parent.addEventListener('abort', onAbort, { once: true });
    return { parent, onAbort };
  });
  return {
    controller,
    [Symbol.dispose]: () => {
      for (const { parent, onAbort } of listeners) parent.removeEventListener('abort', onAbort);
    },
  };
}
