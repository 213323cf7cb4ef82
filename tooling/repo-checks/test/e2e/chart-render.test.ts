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
  describe('permissions', () => {
    const documented = documentedRoles();

    it('are those of the README of k8s-actions when everything is used', async () => {
      const config = { ...BACKEND, mode: 'fence', earlyDetection: true };
      expect(rolesOf(await render({ config }))).toEqual(documented);
    });

    it.each([
      [{ mode: 'observe' }, []],
      [{ mode: 'observe', earlyDetection: true, strategy: 'out-of-service' }, []],
      [{ mode: 'fence' }, ['pods', 'volumeattachments', 'nodes/status', 'nodes']],
      [{ mode: 'fence', strategy: 'in-use' }, ['pods', 'volumeattachments', 'nodes/status', 'nodes']],
      [{ mode: 'fence', strategy: 'delete' }, ['pods', 'volumeattachments', 'nodes']],
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
      expect(await probeAsPod(manifests)).toContain('reattach doctor --print-probes');
    });
  });

  it('keeps its pods apart, on control-plane nodes where possible, and off lost and fenced nodes', () => {
    const { spec } = podOf(renderedSet('the least values'));
    expect(spec).toMatchObject({
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { preference: { matchExpressions: [{ key: 'node-role.kubernetes.io/control-plane' }] } },
          ],
        },
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname' }],
        },
      },
      tolerations: [
        { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
        { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', tolerationSeconds: 5 },
        { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', tolerationSeconds: 5 },
      ],
    });
  });

  it('replaces its anti-affinity by the one that is given', async () => {
    const podAntiAffinity = { preferredDuringSchedulingIgnoredDuringExecution: [] };
    const manifests = await render({ config: BACKEND, affinity: { podAntiAffinity } });
    expect(podOf(manifests).spec['affinity']).toMatchObject({ podAntiAffinity });
    expect(JSON.stringify(podOf(manifests).spec['affinity'])).not.toContain('kubernetes.io/hostname');
  });

  it('spreads its own pods unless a constraint selects others', () => {
    const { metadata, spec } = podOf(renderedSet('mode fence, everything on'));
    const [zone, rack] = spec['topologySpreadConstraints'] as {
      readonly labelSelector: { readonly matchLabels: object };
    }[];
    expect(metadata.labels).toMatchObject(zone?.labelSelector.matchLabels ?? {});
    expect(Object.keys(zone?.labelSelector.matchLabels ?? {})).toHaveLength(2);
    expect(rack?.labelSelector).toEqual({ matchLabels: { tier: 'infrastructure' } });
  });

  it.each([
    [{}, /^reattach:\d+\.\d+\.\d+$/],
    [{ repository: 'r.example.org/reattach', tag: 'v1' }, /^r\.example\.org\/reattach:v1$/],
    [{ tag: 'v1', digest: `sha256:${'a'.repeat(64)}` }, /^reattach@sha256:a{64}$/],
  ])('runs the image of %j', async (image, expected) => {
    const [container] = podOf(await render({ config: BACKEND, image })).spec.containers;
    expect(container.image).toMatch(expected);
  });

  it('admits no connection by default, and the named namespaces where there are some', () => {
    const closed = manifestOf(renderedSet('the least values'), 'NetworkPolicy')['spec'];
    expect(closed).toMatchObject({ policyTypes: ['Ingress', 'Egress'] });
    expect(closed).not.toHaveProperty('ingress');
    expect(manifestOf(renderedSet('mode fence, everything on'), 'NetworkPolicy')['spec']).toMatchObject({
      ingress: [
        {
          ports: [{ port: 'http' }],
          from: [
            {
              namespaceSelector: {
                matchExpressions: [
                  { key: 'kubernetes.io/metadata.name', operator: 'In', values: ['monitoring', 'support'] },
                ],
              },
            },
            { ipBlock: { cidr: '10.0.0.0/24' } },
          ],
        },
      ],
    });
  });

  it('starts new pods when the configuration changes', async () => {
    const [observe, fence] = await Promise.all([configHash('observe'), configHash('fence')]);
    expect(observe).toMatch(/^[\da-f]{64}$/);
    expect(observe).not.toBe(fence);
  });

  it('ships the alerts and the dashboard as the files have them, with links of the operator', async () => {
    const manifests = renderedSet('mode fence, everything on');
    const rules = readChartFile('rules/reattach.yaml');
    expect(manifestOf(manifests, 'PrometheusRule')['spec']).toEqual(
      parse(
        rules
          .replaceAll('RUNBOOK_URL', 'https://docs.example.org/runbook')
          .replaceAll('PAGE_URL', 'https://reattach.example.org/'),
      ),
    );
    const byDefault = await render({ config: BACKEND, prometheusRule: { enabled: true } });
    expect(manifestOf(byDefault, 'PrometheusRule')['spec']).toEqual(
      parse(
        rules
          .replaceAll('RUNBOOK_URL', 'docs/runbook.md')
          .replaceAll(
            'PAGE_URL',
            'http://127.0.0.1:9808/ after kubectl -n reattach port-forward deploy/reattach 9808',
          ),
      ),
    );
    const dashboard = manifests.find(({ metadata }) => metadata.name.endsWith('-dashboard'));
    const data = dashboard?.['data'] as Readonly<Record<string, string>> | undefined;
    expect(data?.['reattach.json']?.trim()).toBe(readChartFile('dashboards/reattach.json').trim());
  });

  it('limits changes of Nodes by kubelets, and in mode fence by the ServiceAccount', () => {
    expect(policiesOf(renderedSet('the least values'))).toEqual(['reattach-nodes']);
    const manifests = renderedSet('mode fence, everything on');
    expect(policiesOf(manifests)).toEqual(['reattach', 'reattach-nodes']);
    const policies = JSON.stringify(manifests);
    expect(policies).toContain("request.userInfo.username == 'system:serviceaccount:storage:failover'");
    expect(policies).toContain("v.startsWith('kubernetes.io/csi/rds.csi.srvlab.io^')");
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
