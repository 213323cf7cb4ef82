import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '@reattach/core';
import { KubeEventRecorder } from '@reattach/k8s-actions';
import { loadKubeApi } from '@reattach/k8s-api';
import type { LoggedRequest } from '@reattach/kube-sim';
import { COMPRESSED_TIMES, SimWorld, until, type WorldFiles, worldFlags } from '@reattach/sim-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controllerRoles, type RoleObject } from './support/controller-role.ts';
import { ACCOUNT, assets, E2eCluster, NAMESPACE, rolePath } from './support/e2e-cluster.ts';
import { granted, needed, type Permission, parsePermission } from './support/permission.ts';
import { COMPRESSED_FLAGS } from './support/stage.ts';
import { startController } from './support/start-controller.ts';

const LOST = 'node-a';
const WAIT_MS = 300_000;

interface Flow {
  readonly flags: readonly string[];
  readonly times: typeof COMPRESSED_TIMES;
  /** The API server knows no streaming lists, as before 1.32: they are listed and then watched. */
  readonly isOld?: true;
  readonly play: (world: SimWorld, files: WorldFiles) => Promise<void>;
}

/** What the controller does, in worlds whose API server keeps every request. Together they use every permission. */
const flows: Readonly<Record<string, Flow>> = {
  'volumes leave volumesInUse of a node whose Lease went stale': {
    flags: ['--mode=fence', '--strategy=in-use', '--early-detection=true', '--lease-stale-ms=1500'],
    times: { ...COMPRESSED_TIMES, cluster: { ...COMPRESSED_TIMES.cluster, nodeGraceMs: 6_000 } },
    isOld: true,
    play: async (world) => {
      world.powerOff(LOST);
      await until('the release', WAIT_MS, () => world.attachedTo(LOST).length === 0);
    },
  },
  'a node is tainted, comes back, and is let in again': {
    flags: ['--mode=fence', '--strategy=out-of-service'],
    times: COMPRESSED_TIMES,
    play: async (world) => {
      world.powerOff(LOST);
      await until('the release', WAIT_MS, () => world.attachedTo(LOST).length === 0);
      world.powerOn(LOST);
      const taints = () => world.kube.store.get('Node', LOST)?.spec?.taints ?? [];
      await until(
        'the taint to go',
        WAIT_MS,
        () => !taints().some(({ key }) => key.endsWith('/out-of-service')),
      );
    },
  },
  'VolumeAttachments of a deleted Node are deleted': {
    flags: ['--mode=fence'],
    times: COMPRESSED_TIMES,
    play: async (world, files) => {
      world.powerOff(LOST);
      world.kube.store.delete('Node', LOST);
      await until('the release', WAIT_MS, () => world.attachedTo(LOST).length === 0);
      await repeatEvent(files.kubeconfig);
    },
  },
};

/** A host that was heard for less than an activity window (2 s) must be silent for nine of them, because its cadence is not known. */
const WARM_UP_MS = 5_000;

describe.skipIf(assets === undefined)('the roles in the README of k8s-actions', () => {
  const roles = controllerRoles();
  const permissions = roles.flatMap(granted);

  it('grant what the controller does and nothing else', async () => {
    const requests = (await Promise.all(Object.values(flows).map(record))).flat();
    const groups = requests.map((request) => ({ request, anyOf: needed(request) }));
    const used = new Set(groups.flatMap(({ anyOf }) => anyOf));
    const missing = groups
      .filter(({ anyOf }) => anyOf.length > 0 && !anyOf.some((each) => permissions.includes(each)))
      .map(({ request: { method, path } }) => `${method} ${path}`);
    const about = new Set(
      groups.filter(({ anyOf }) => anyOf.length === 0).map(({ request }) => request.path),
    );
    console.log(
      `${requests.length} requests used ${permissions.filter((each) => used.has(each)).length} of ${permissions.length} permissions; about no resource: ${[...about].join(', ') || 'none'}`,
    );
    expect([...new Set(missing)], 'requests without a permission').toEqual([]);
    expect(
      permissions.filter((each) => !used.has(each)),
      'unused permissions',
    ).toEqual([]);
    expect(new Set(permissions).size, 'permissions granted once').toBe(permissions.length);

    const deletes = requests.filter(({ method }) => method === 'DELETE');
    expect(deletes.length).toBeGreaterThan(0);
    for (const { body } of deletes)
      expect(body).toMatchObject({ preconditions: { uid: expect.any(String) } });
  });

  describe('on a real API server', () => {
    let cluster: E2eCluster;
    beforeAll(async () => {
      cluster = await E2eCluster.start();
    });
    afterAll(() => cluster[Symbol.asyncDispose]());

    it('are all the controller has: without any one of them the API server refuses what it allowed', async () => {
      const isAlready = await Promise.all(permissions.map((each) => isAllowed(cluster, each)));
      expect(permissions.filter((_each, index) => isAlready[index] !== true)).toEqual([]);
      for (const role of roles) {
        const own = granted(role);
        for (const removed of own) {
          await cluster.kube.put(
            rolePath(role),
            withRules(
              role,
              own.filter((each) => each !== removed),
            ),
          );
          await until(
            `${removed} to be refused`,
            WAIT_MS,
            async () => !(await isAllowed(cluster, removed)),
            20,
          );
        }
        await cluster.kube.put(rolePath(role), withRules(role, own));
        for (const each of own)
          await until(`${each} to be allowed`, WAIT_MS, () => isAllowed(cluster, each), 20);
      }
      expect(permissions.length).toBeGreaterThan(0);
    });
  });
});

/** Runs the real controller in a simulated world until the flow has ended. @returns its requests. */
async function record({ flags, times, isOld, play }: Flow): Promise<readonly LoggedRequest[]> {
  await using world = await SimWorld.start({ kubevirt: true, times });
  await using files = await world.writeFiles();
  const { kube } = world;
  if (isOld) {
    kube.faults.add(
      isStreaming,
      { kind: 'status', status: 422, reason: 'Invalid' },
      Number.POSITIVE_INFINITY,
    );
  }
  await using controller = startController([
    ...COMPRESSED_FLAGS,
    ...worldFlags(world, files),
    `--leader-election-namespace=${NAMESPACE}`,
    ...flags,
  ]);
  await until('the world to settle', WAIT_MS, () => world.isSettled);
  await controller.ready();
  await sleep(WARM_UP_MS);
  try {
    await play(world, files);
  } catch (cause) {
    const said = controller.log.map((line) => JSON.stringify(line)).join('\n');
    throw new Error(
      `${cause instanceof Error ? cause.message : String(cause)}; the controller said:\n${said}`,
      { cause },
    );
  }
  expect(await controller.stop()).toBe(0);
  return kube.requests;
}

function isStreaming({ query }: LoggedRequest): boolean {
  return query['sendInitialEvents'] === 'true';
}

/** The controller counts a repeated Event after 5 min; the recorder it uses does the same at once. */
async function repeatEvent(kubeconfigPath: string): Promise<void> {
  await using api = loadKubeApi({ kubeconfigPaths: [kubeconfigPath] });
  const recorder = new KubeEventRecorder({
    api,
    clock: systemClock,
    reportingInstance: 'test',
    refreshMs: 0,
  });
  const regarding = { kind: 'PersistentVolumeClaim', namespace: 'default', name: 'data-db-0' } as const;
  const event = {
    type: 'Normal',
    reason: 'StaleAttachmentReleased',
    message: 'Repeated',
    regarding,
  } as const;
  const { signal } = new AbortController();
  await recorder.record(event, signal);
  await recorder.record(event, signal);
}

/** What the API server's authorizer says about the controller's ServiceAccount. */
async function isAllowed(cluster: E2eCluster, permission: Permission): Promise<boolean> {
  const { namespace, ...attributes } = parsePermission(permission);
  const review = await cluster.kube.create<{ status: { allowed: boolean } }>(
    '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: `system:serviceaccount:${NAMESPACE}:${ACCOUNT}`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${NAMESPACE}`, 'system:authenticated'],
        resourceAttributes: { ...attributes, namespace },
      },
    },
  );
  return review?.status.allowed === true;
}

function withRules(role: RoleObject, permissions: readonly Permission[]): RoleObject {
  const rules = permissions.map((permission) => {
    const { group, resource, subresource, verb, name } = parsePermission(permission);
    const target = subresource === undefined ? resource : `${resource}/${subresource}`;
    const rule = { apiGroups: [group], resources: [target], verbs: [verb] };
    return name === undefined ? rule : { ...rule, resourceNames: [name] };
  });
  return { ...role, rules };
}
