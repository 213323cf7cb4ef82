import type { SimWorld } from '@reattach/sim-world';
import type { Timeline } from './timeline.ts';

const POLL_MS = 20;

/** Adds what changes in the cluster, and every write of the controller, to the timeline. */
export function watchWorld(world: SimWorld, timeline: Timeline): Disposable {
  const cleanup = new DisposableStack();
  const ready = new Map<string, boolean>();
  cleanup.use(
    world.kube.store.subscribe(({ kind, type, object }) => {
      const { name } = object.metadata;
      if (kind === 'Node' && type === 'DELETED') timeline.add('seen', `Node ${name} was deleted`);
      else if (kind === 'Node') {
        const isReady = world.kube.store
          .get('Node', name)
          ?.status?.conditions?.some(
            (condition) => condition.type === 'Ready' && condition.status === 'True',
          );
        const before = ready.get(name) ?? true;
        ready.set(name, isReady === true);
        if (before !== isReady)
          timeline.add('seen', `Kubernetes marks ${name} ${isReady ? 'Ready' : 'NotReady'}`);
      }
    }),
  );
  let seenRequests = world.kube.requests.at(-1)?.seq ?? 0;
  let seenCommands = world.rds.commands.entries.length;
  const running = new Map(podsByNode(world));
  const poll = setInterval(() => {
    for (const request of world.kube.requests) {
      if (request.seq <= seenRequests) continue;
      seenRequests = request.seq;
      if (request.userAgent?.startsWith('reattach') && isWrite(request.method, request.path)) {
        timeline.add('written', `API server: ${request.method} ${request.path}`);
      }
    }
    for (const { text } of world.rds.commands.entries.slice(seenCommands)) {
      seenCommands++;
      if (/address-list\/(add|remove)|^(un)?fence /.test(text))
        timeline.add('written', `backend: ${text.split('; :put')[0]}`);
    }
    for (const [pod, node] of podsByNode(world)) {
      if (running.get(pod) === node) continue;
      running.set(pod, node);
      timeline.add('moved', `${pod} runs on ${node}`);
    }
  }, POLL_MS);
  cleanup.defer(() => clearInterval(poll));
  return cleanup;
}

/** Leases and Events are noise here. */
function isWrite(method: string, path: string): boolean {
  return method !== 'GET' && !path.includes('/leases') && !path.includes('/events');
}

function podsByNode(world: SimWorld): [string, string][] {
  return world.nodes.flatMap(({ name }) => world.podsOn(name).map((pod): [string, string] => [pod, name]));
}
