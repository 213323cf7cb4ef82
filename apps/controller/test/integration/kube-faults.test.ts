import type { Fault, LoggedRequest } from '@reattach/kube-sim';
import { describe, expect, it } from 'vitest';
import { backendWrites, clusterWrites } from './support/effects.ts';
import { type Flags, Lab } from './support/lab.ts';

const LOST = 'node-a';

/** How long a fault lasts that strikes more than once, ms of cluster time. */
const OUTAGE_MS = 4_000;

/** Longer than a pass with a write that gets no answer, so that no fall-back to another strategy is due. */
const DETACH_TIMEOUT_MS = 15_000;

interface Request {
  readonly name: string;
  readonly flags: Flags;
  readonly method: string;
  readonly path: RegExp;
}

const REQUESTS: readonly Request[] = [
  { name: 'live read of the Node', flags: {}, method: 'GET', path: /\/nodes\/node-a$/ },
  { name: 'delete of a pod', flags: {}, method: 'DELETE', path: /\/pods\// },
  { name: 'change of volumesInUse', flags: {}, method: 'PATCH', path: /\/nodes\/node-a\/status$/ },
  {
    name: 'delete of a VolumeAttachment',
    flags: { strategy: 'delete' },
    method: 'DELETE',
    path: /\/volumeattachments\//,
  },
  {
    name: 'out-of-service taint',
    flags: { strategy: 'out-of-service', 'other-drivers': 'release-ours' },
    method: 'PATCH',
    path: /\/nodes\/node-a$/,
  },
  { name: 'Event', flags: {}, method: 'POST', path: /\/events$/ },
];

const FAULTS: readonly Fault[] = [
  { kind: 'throttle', retryAfterSeconds: 1 },
  { kind: 'status', status: 409, reason: 'Conflict' },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503, reason: 'ServiceUnavailable', applied: true },
  { kind: 'reset' },
  { kind: 'reset', applied: true },
  { kind: 'hang' },
  { kind: 'hang', applied: true },
  { kind: 'malformed' },
];

const CASES = REQUESTS.flatMap((request) =>
  faultsOf(request).flatMap((fault) =>
    [1, Number.POSITIVE_INFINITY].map((times) => ({ request, fault, times })),
  ),
);

/** A read leaves nothing behind, so that whether it was carried out makes no difference. */
function faultsOf({ method }: Request): readonly Fault[] {
  return method === 'GET' ? FAULTS.filter((fault) => !('applied' in fault)) : FAULTS;
}

/** What of the other nodes must stay the very same objects. */
function untouched({ world }: Lab): readonly string[] {
  const { store } = world.kube;
  const others = [
    ...store.list('Pod').filter(({ spec }) => spec?.nodeName !== LOST),
    ...store.list('VolumeAttachment').filter(({ spec }) => spec?.nodeName !== LOST),
  ];
  return others.map(({ metadata }) => `${metadata.name} ${metadata.uid}`);
}

function nameOf({ request, fault, times }: (typeof CASES)[number]): string {
  const status = 'status' in fault ? ` ${fault.status}` : '';
  const applied = 'applied' in fault ? ', carried out' : '';
  return `${request.name}: ${fault.kind}${status}${applied}, ${times === 1 ? 'once' : 'for a while'}`;
}

describe('an API server that fails during a fail-over', () => {
  it.each(CASES.map((each) => ({ ...each, name: nameOf(each) })))(
    'delays it at most: $name',
    async ({ request, fault, times }) => {
      const { method, path, flags } = request;
      await using lab = await Lab.start({ nodes: [LOST, 'node-b'], volumes: 4 });
      const { kube, rds } = lab.world;
      await lab.ready({ ...flags, 'detach-timeout-ms': DETACH_TIMEOUT_MS });
      const others = untouched(lab);
      const pods = lab.replicasOn(LOST);
      const isOurs = (each: LoggedRequest) =>
        each.userAgent === 'reattach' && each.method === method && path.test(each.path);
      const rule = kube.faults.add(isOurs, fault, times);
      lab.world.node(LOST).kubelet.stop(); // its pods write on
      await lab.until('the fault to strike', () => rule.hits > 0);
      await lab.runFor(OUTAGE_MS);
      rule[Symbol.dispose]();
      await lab.failedOver(LOST);

      expect(rds.oracle.doubleWrites).toBe(0);
      expect(untouched(lab)).toEqual(expect.arrayContaining([...others]));
      expect(backendWrites(lab.world)).toHaveLength(1);
      const deleted = clusterWrites(lab.world).filter((write) => write.startsWith('DELETE /api/v1/'));
      expect(new Set(deleted)).toEqual(
        new Set(pods.map((pod) => `DELETE /api/v1/namespaces/default/pods/${pod}`)),
      );
    },
  );
});
