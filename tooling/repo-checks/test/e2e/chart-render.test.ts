import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Manifest, readChartFile, type Values } from '../../src/chart/chart-files.ts';
import { manifestOf, podOf } from '../../src/chart/pod-of.ts';
import { documentedRoles, type PolicyRule, rolesOf } from '../../src/chart/roles.ts';
import { probeAsPod } from '../../src/chart/start-as-pod.ts';
import { VALUE_SETS } from '../../src/chart/value-sets.ts';
import { ROOT } from '../../src/documents.ts';
import { findHelm } from './real-helm.ts';

const BACKEND = { rds: { address: 'backend' } } as const;
const helm = await findHelm();
const SETS =
  helm === undefined
    ? []
    : await Promise.all(
        Object.entries(VALUE_SETS).map(
          async ([name, options]) => [name, options, await helm.render(options)] as const,
        ),
      );

/** Before the objects in `deploy/manifests`. */
const MANIFEST_HEAD = `# Rendered by Helm from deploy/chart with its default values; \`WRITE_MANIFESTS=1 pnpm test:e2e\` in tooling/repo-checks renews it.
# Replace the image and, in the ConfigMap, the address of the backend. docs/quick-start.md has the commands.
`;

async function render(values: Values): Promise<readonly Manifest[]> {
  return (await helm?.render({ values })) ?? [];
}

function renderedSet(name: string): readonly Manifest[] {
  const [, , manifests] = SETS.find(([each]) => each === name) ?? [];
  if (!manifests) throw new TypeError(`Expected a set of values, got ${name}`);
  return manifests;
}

describe.skipIf(helm === undefined)('deploy/chart, rendered by Helm', () => {
  it.each([
    ['a mode that does not exist', { config: { mode: 'fance' } }, "at '/config/mode': value must be one of"],
    [
      'an unknown option',
      { config: { grace: 1 } },
      "at '/config': additional properties 'grace' not allowed",
    ],
    ['an unknown value', { replica: 1 }, "additional properties 'replica' not allowed"],
    [
      'an unsafe time',
      { config: { gracePeriodMs: 3_000 } },
      "at '/config/gracePeriodMs': minimum: got 3,000",
    ],
    [
      'a file of the pod',
      { config: { rds: { privateKeyFile: '/key' } } },
      "additional properties 'privateKeyFile' not allowed",
    ],
    [
      'two pods without a leader',
      { config: { leaderElection: { enabled: false } } },
      "at '/replicas': maximum: got 2, want 1",
    ],
    ['port 0', { port: 0 }, "at '/port': minimum: got 0, want 1"],
  ])('refuses %s', async (_, values, error) => {
    const config = { ...BACKEND, ...('config' in values && values.config) };
    await expect(render({ ...values, config })).rejects.toThrow(error);
  });

  it('refuses values without the address of the backend', async () => {
    await expect(render({})).rejects.toThrow(
      'config.rds.address: the SSH address of the storage backend is needed',
    );
  });

  it.each(Object.entries(VALUE_SETS))('passes lint with %s', async (_, { values = {} }) => {
    expect(await helm?.lint(values)).toContain('0 chart(s) failed');
  });

  describe('permissions', () => {
    const documented = documentedRoles();

    it('are those of the README of k8s-actions when everything is used', async () => {
      const config = { ...BACKEND, mode: 'fence', earlyDetection: true };
      expect(rolesOf(await render({ config }))).toEqual(documented);
    });

    it.each([
      [{ mode: 'observe' }, []],
      [{ mode: 'observe', earlyDetection: true, strategy: 'out-of-service' }, []],
      [{ mode: 'fence' }, ['pods', 'volumeattachments', 'nodes/status']],
      [{ mode: 'fence', strategy: 'in-use' }, ['pods', 'volumeattachments', 'nodes/status']],
      [{ mode: 'fence', strategy: 'delete' }, ['pods', 'volumeattachments']],
      [{ mode: 'fence', strategy: 'out-of-service' }, ['pods', 'volumeattachments', 'nodes']],
      [{ mode: 'fence', strategy: 'delete', earlyDetection: true }, ['pods', 'volumeattachments', 'nodes']],
    ])('with %j are the least that is needed: to write %j', async (config, writable) => {
      const roles = rolesOf(await render({ config: { ...BACKEND, ...config } }));
      expect(roles.get('ClusterRole')).toEqual(rulesFor(writable));
      expect(roles.has('Role kube-node-lease')).toBe('earlyDetection' in config);
    });

    it.each(SETS)('are bound to the ServiceAccount of the pods: %s', (_, options, manifests) => {
      const { namespace = 'reattach' } = options;
      const bindings = manifests.filter(({ kind }) => kind.endsWith('RoleBinding'));
      const roles = manifests.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole');
      expect(bindings.map((binding) => [binding['roleRef'], binding.metadata.namespace])).toEqual(
        roles.map(({ kind, metadata }) => [
          { apiGroup: 'rbac.authorization.k8s.io', kind, name: metadata.name },
          metadata.namespace,
        ]),
      );
      const name = podOf(manifests).spec.serviceAccountName;
      for (const { subjects } of bindings)
        expect(subjects).toEqual([{ kind: 'ServiceAccount', name, namespace }]);
    });
  });

  describe.each(SETS)('with %s', (_, _options, manifests) => {
    it('names every object once and labels it', () => {
      const names = manifests.map(
        ({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`,
      );
      expect(new Set(names).size).toBe(names.length);
      for (const { metadata } of manifests)
        expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'reattach' });
    });

    it('selects its own pods everywhere', () => {
      const { labels } = podOf(manifests).metadata;
      const selectors = manifests.flatMap((manifest) => {
        const { selector, podSelector } = (manifest['spec'] ?? {}) as Readonly<
          Record<string, object | undefined>
        >;
        const own = selector ?? podSelector;
        if (!own) return [];
        return ['matchLabels' in own ? own.matchLabels : own];
      });
      expect(selectors.length).toBeGreaterThan(0);
      for (const selector of selectors) expect(labels).toMatchObject(selector as object);
    });

    it('runs without rights', () => {
      const { spec } = podOf(manifests);
      expect(spec['securityContext']).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(spec.containers).toMatchObject([
        {
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ]);
    });

    it('gives the controller a configuration that it accepts', async () => {
      expect(await probeAsPod(manifests)).toContain('/system/resource');
    });
  });

  it('keeps its pods apart, and off a node that is lost', () => {
    expect(podOf(renderedSet('first look')).spec).toMatchObject({
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname' }],
        },
      },
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', tolerationSeconds: 5 },
        { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', tolerationSeconds: 5 },
      ],
    });
  });

  it('starts new pods when the configuration changes', async () => {
    const [observe, fence] = await Promise.all([configHash('observe'), configHash('fence')]);
    expect(observe).toMatch(/^[\da-f]{64}$/);
    expect(observe).not.toBe(fence);
  });

  it('ships the alerts and the dashboard as the files have them', () => {
    const manifests = renderedSet('mode fence, everything on');
    expect(manifestOf(manifests, 'PrometheusRule')['spec']).toEqual(
      parse(readChartFile('rules/reattach.yaml')),
    );
    const dashboard = manifests.find(({ metadata }) => metadata.name.endsWith('-dashboard'));
    const data = dashboard?.['data'] as Readonly<Record<string, string>> | undefined;
    expect(data?.['reattach.json']?.trim()).toBe(readChartFile('dashboards/reattach.json').trim());
  });

  it('limits changes of Nodes by kubelets, and in mode fence by the ServiceAccount', () => {
    expect(policiesOf(renderedSet('first look'))).toEqual(['reattach-nodes']);
    const manifests = renderedSet('mode fence, everything on');
    expect(policiesOf(manifests)).toEqual(['reattach', 'reattach-nodes']);
    const policies = JSON.stringify(manifests);
    expect(policies).toContain("request.userInfo.username == 'system:serviceaccount:storage:failover'");
    expect(policies).toContain("v.startsWith('kubernetes.io/csi/rds.csi.srvlab.io^')");
  });

  describe.each(['1.21.0', '1.26.15', '1.29.5-eks-1', '1.30.0-gke.1', '1.36.4'])(
    'on Kubernetes %s',
    (kubeVersion) => {
      const minor = Number(kubeVersion.split('.')[1]);
      const on = (values: Values) =>
        helm?.render({ kubeVersion, values: { ...values, config: { ...BACKEND, mode: 'fence' } } }) ??
        Promise.reject(new TypeError('Expected Helm'));

      it('creates only what the version has', async () => {
        const manifests = await on({ admissionPolicy: { enabled: minor >= 30 } });
        expect(policiesOf(manifests)).toEqual(minor >= 30 ? ['reattach', 'reattach-nodes'] : []);
        const budget = manifestOf(manifests, 'PodDisruptionBudget')['spec'] as object;
        expect('unhealthyPodEvictionPolicy' in budget).toBe(minor >= 27);
      });

      it.runIf(minor < 30)('refuses mode fence without the policy that limits it', async () => {
        await expect(on({})).rejects.toThrow(
          `admissionPolicy.enabled: Kubernetes v${kubeVersion} has no ValidatingAdmissionPolicy, 1.30 has`,
        );
      });

      it('installs in mode observe', async () => {
        const manifests = await helm?.render({ kubeVersion, values: { config: BACKEND } });
        expect(policiesOf(manifests ?? [])).toEqual(minor >= 30 ? ['reattach-nodes'] : []);
      });
    },
  );

  it('refuses a Kubernetes that lacks policy/v1', async () => {
    const rendering = helm?.render({ kubeVersion: '1.20.15', values: { config: BACKEND } });
    await expect(rendering).rejects.toThrow('chart requires kubeVersion: >=1.21.0-0');
  });

  it('says after the installation how to check it', async () => {
    const notes = await helm?.notes({ values: { config: BACKEND }, namespace: 'storage' });
    expect(notes).toContain('Reattach runs in mode observe');
    expect(notes).toContain('kubectl -n storage exec deploy/reattach -- ');
  });

  it.each(['observe', 'fence'])('is what deploy/manifests/%s.yaml contains', async (mode) => {
    const text = await manifestFile(mode);
    const path = join(ROOT, 'deploy/manifests', `${mode}.yaml`);
    if (process.env['WRITE_MANIFESTS'] === '1') await writeFile(path, text);
    expect(await readFile(path, 'utf8')).toBe(text);
  });
});

/** The documented rules for reading, and those to write some resources. */
function rulesFor(writable: readonly string[]): readonly PolicyRule[] {
  const all = documentedRoles().get('ClusterRole') ?? [];
  const reading = all.slice(0, 6);
  return [
    ...reading,
    ...all.slice(6).filter(({ resources: [resource = ''] }) => writable.includes(resource)),
  ];
}

function policiesOf(manifests: readonly Manifest[]): readonly string[] {
  return manifests
    .filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
    .map(({ metadata }) => metadata.name)
    .toSorted();
}

async function configHash(mode: string): Promise<string | undefined> {
  const { metadata } = podOf(await render({ config: { ...BACKEND, mode } }));
  return metadata.annotations['reattach.srvlab.io/config-hash'];
}

/** The chart with its default values, for users without Helm. */
async function manifestFile(mode: string): Promise<string> {
  const values = { config: { mode, rds: { address: 'backend.example.org' } } };
  return `${MANIFEST_HEAD}${await helm?.template({ values })}`;
}
