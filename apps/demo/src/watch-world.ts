import type { SimWorld } from '@reattach/sim-world';
import type { Timeline } from './timeline.ts';

/**
 * Adds what changes in the cluster, and every write of the controller, to the timeline at the moment it happens. The controller
 * logs a write after it was answered, so its log line follows.
 */
export function watchWorld(world: SimWorld, timeline: Timeline): Disposable {
  const cleanup = new DisposableStack();
  cleanup.use(watchCluster(world, timeline));
  let seen = world.kube.requests.at(-1)?.seq ?? 0;
  cleanup.use(
    world.kube.subscribeRequests(({ seq, method, path, userAgent }) => {
      if (seq <= seen) return; // its status became known
      seen = seq;
      if (userAgent?.startsWith('reattach') && isWrite(method, path))
        timeline.add('written', `API server: ${method} ${path}`);
    }),
  );
  cleanup.use(
    world.rds.commands.subscribe(({ text }) => {
      const write = backendWrite(text);
      if (write !== undefined) timeline.add('written', `backend: ${write}`);
    }),
  );
  return cleanup;
}

function watchCluster({ kube }: SimWorld, timeline: Timeline): Disposable {
  const ready = new Map<string, boolean>();
  const running = new Map<string, string>();
  for (const pod of kube.store.list('Pod')) {
    const { nodeName } = pod.spec ?? {};
    if (pod.status?.phase === 'Running' && nodeName) running.set(pod.metadata.uid, nodeName);
  }
  return kube.store.subscribe(({ kind, type, object }) => {
    const { name, uid } = object.metadata;
    if (kind === 'Node' && type === 'DELETED') {
      ready.delete(name);
      timeline.add('seen', `Node ${name} was deleted`);
    } else if (kind === 'Node') {
      const conditions = kube.store.get('Node', name)?.status?.conditions;
      const isReady = conditions?.some((each) => each.type === 'Ready' && each.status === 'True') === true;
      if (type === 'ADDED' && isReady) timeline.add('seen', `Node ${name} joined the cluster`);
      else if ((ready.get(name) ?? true) !== isReady)
        timeline.add('seen', `Kubernetes marks ${name} ${isReady ? 'Ready' : 'NotReady'}`);
      ready.set(name, isReady);
    } else if (kind === 'Pod' && type !== 'DELETED') {
      const { spec, status, metadata } = kube.store.get('Pod', name, object.metadata.namespace) ?? {};
      const nodeName = spec?.nodeName;
      if (metadata?.uid !== uid || status?.phase !== 'Running' || !nodeName || running.has(uid)) return;
      running.set(uid, nodeName);
      timeline.add('moved', `${name} runs on ${nodeName}`);
    }
  });
}

/** Leases and Events are noise here. */
function isWrite(method: string, path: string): boolean {
  return method !== 'GET' && !path.includes('/leases') && !path.includes('/events');
}

/** The part of a command that writes, of both dialects; `undefined` when it only reads. */
function backendWrite(command: string): string | undefined {
  const routerOs = /\/ip\/firewall\/(?:address-list|raw)\/(?:add|remove|set|enable|move)[^;{}]*/.exec(
    command,
  );
  if (routerOs) return routerOs[0].trim();
  return /^(un)?fence /.test(command) ? command.replace(/^((?:un)?fence) \S+/, '$1') : undefined;
}
