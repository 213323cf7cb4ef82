import type { LoggedRequest } from '@reattach/kube-sim';
import type { SimWorld } from '@reattach/sim-world';
import { turnEventLoop } from './pace.ts';

/** Which of the controller's effects: the `number`-th, from 1, at the API server or at the backend. */
export interface EffectAt {
  readonly at: 'kube' | 'backend';
  readonly number: number;
}

/** Where in an effect the controller is cut off. Before it arrives is the same as after the answer of the one before. */
export const CUTS = ['after its answer', 'before its answer'] as const;

/** @see CUTS */
export type Cut = (typeof CUTS)[number];

const BACKEND_WRITE = /address-list\/(add|remove)/;

/** Turns of the event loop in which an answer arrives and is taken note of, at least in part. */
const ANSWER_TURNS = 3;

/** A write of the controller, a renewal of its lease not counted. */
export function isKubeEffect({ method, path, userAgent }: LoggedRequest): boolean {
  return method !== 'GET' && userAgent === 'reattach' && !path.includes('/leases');
}

export function isBackendEffect({ text }: { readonly text: string }): boolean {
  return BACKEND_WRITE.test(text);
}

/** Writes of the controller to the API server but Events, as `METHOD path`, oldest first. */
export function clusterWrites({ kube }: SimWorld): readonly string[] {
  const writes = kube.requests.filter(
    (request) => isKubeEffect(request) && !request.path.includes('/events'),
  );
  return writes.map(({ method, path }) => `${method} ${path}`);
}

/** Commands of the controller that change the backend, oldest first. */
export function backendWrites({ rds }: SimWorld): readonly string[] {
  return rds.commands.entries.filter(isBackendEffect).map(({ text }) => text);
}

/** Every effect so far. */
export function effectsIn({ kube, rds }: SimWorld): readonly EffectAt[] {
  const numbered = (at: EffectAt['at'], count: number) =>
    Array.from({ length: count }, (_, index): EffectAt => ({ at, number: index + 1 }));
  return [
    ...numbered('kube', kube.requests.filter(isKubeEffect).length),
    ...numbered('backend', rds.commands.entries.filter(isBackendEffect).length),
  ];
}

/** Resolves when the effect has come as far as `cut` says; from then on its answer is not given. Never: it does not come. */
export async function reachEffect(world: SimWorld, effect: EffectAt, cut: Cut): Promise<void> {
  await (effect.at === 'kube'
    ? reachKube(world, effect.number, cut)
    : reachBackend(world, effect.number, cut));
  if (cut === 'after its answer') await turnEventLoop(ANSWER_TURNS);
}

async function reachKube({ kube }: SimWorld, number: number, cut: Cut): Promise<void> {
  let seen = kube.requests.filter(isKubeEffect).length;
  const last = seen + number;
  const isIt = (request: LoggedRequest) => isKubeEffect(request) && ++seen === last;
  if (cut !== 'after its answer') {
    const { promise, resolve } = Promise.withResolvers<void>();
    const strikes = (request: LoggedRequest) => {
      const hit = isIt(request);
      if (hit) resolve();
      return hit;
    };
    kube.faults.add(strikes, { kind: 'hang', applied: true });
    return promise;
  }
  let seq: number | undefined;
  const isAnswered = (request: LoggedRequest) => {
    if (request.status === undefined && isIt(request)) seq = request.seq;
    return request.seq === seq && request.status !== undefined;
  };
  await kube.waitFor(isAnswered, NEVER);
}

async function reachBackend({ rds }: SimWorld, number: number, cut: Cut): Promise<void> {
  for (let seen = 1; seen < number; seen++) await rds.commands.next(BACKEND_WRITE);
  if (cut !== 'after its answer') {
    rds.faults.onCommand(BACKEND_WRITE, { kind: 'hang', applied: true });
  }
  await rds.commands.next(BACKEND_WRITE);
  await turnEventLoop(1); // it is carried out
}

const NEVER: AbortSignal = new AbortController().signal;
