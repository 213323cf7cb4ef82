import type { SimWorld } from '@reattach/sim-world';
import type { Story } from './story.ts';

const POLL_MS = 20;

/** Tells what changes in the cluster, and every write of the controller to the API server and to the backend. */
export function watchWorld(world: SimWorld, story: Story): Disposable {
  const cleanup = new DisposableStack();
  const ready = new Map<string, boolean>();
  cleanup.use(
    world.kube.store.subscribe(({ kind, type, object }) => {
      const { name } = object.metadata;
      if (kind === 'Node' && type === 'DELETED') story.tell('seen', `Node ${name} is deleted`);
      else if (kind === 'Node') {
        const isReady = world.kube.store
          .get('Node', name)
          ?.status?.conditions?.some(
            (condition) => condition.type === 'Ready' && condition.status === 'True',
          );
        const before = ready.get(name) ?? true;
        ready.set(name, isReady === true);
        if (before !== isReady)
          story.tell('seen', `Kubernetes marks ${name} ${isReady ? 'Ready' : 'NotReady'}`);
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
        story.tell('written', `API server: ${request.method} ${request.path}`);
      }
    }
    for (const { text } of world.rds.commands.entries.slice(seenCommands)) {
      seenCommands++;
      if (/address-list\/(add|remove)/.test(text))
        story.tell('written', `backend: ${text.split('; :put')[0]}`);
    }
    for (const [pod, node] of podsByNode(world)) {
      if (running.get(pod) === node) continue;
      running.set(pod, node);
      story.tell('moved', `${pod} runs on ${node}`);
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
