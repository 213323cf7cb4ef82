import type { KubeApi, KubeRequest, KubeWatchRequest } from '@reattach/k8s-api';

/** One watch as the server sees it. */
export interface ScriptedWatch {
  readonly query: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Sends a line, parsed. */
  send(line: unknown): void;
  end(): void;
  fail(error: unknown): void;
}

type Step = { readonly line: unknown } | { readonly error: unknown } | 'end';

/** An API whose watches a test plays by hand; lists are answered from `lists`, in order. */
export class ScriptedApi implements KubeApi {
  readonly server = 'https://kube.test';
  readonly watches: ScriptedWatch[] = [];
  readonly requests: KubeRequest[] = [];
  readonly lists: object[];

  constructor(...lists: object[]) {
    this.lists = lists;
  }

  async request(request: KubeRequest): Promise<unknown> {
    this.requests.push(request);
    const list = this.lists.shift();
    if (!list) throw new TypeError('unexpected list');
    return list;
  }

  async *watch({ query, signal }: KubeWatchRequest): AsyncGenerator<unknown, void> {
    const steps: Step[] = [];
    let wake = Promise.withResolvers<void>();
    const push = (step: Step) => {
      steps.push(step);
      wake.resolve();
    };
    const onAbort = () => push({ error: signal.reason });
    signal.addEventListener('abort', onAbort, { once: true });
    this.watches.push({
      query,
      signal,
      send: (line) => push({ line }),
      end: () => push('end'),
      fail: (error) => push({ error }),
    });
    try {
      for (;;) {
        const step = steps.shift();
        if (step === 'end') return;
        if (step && 'error' in step) throw step.error;
        if (step) yield step.line;
        else {
          await wake.promise;
          wake = Promise.withResolvers();
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
