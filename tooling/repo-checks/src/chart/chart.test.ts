import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from '../documents.ts';
import { configSchema, documentedOptions } from './config-schema.ts';
import {
  CHART,
  defaultValues,
  type Manifest,
  parseManifests,
  type RenderOptions,
  readChartFile,
  renderChart,
  schemaErrors,
} from './render-chart.ts';
import { VALUE_SETS } from './value-sets.ts';
import { documentedValues, valuesTable } from './values-table.ts';

const run = promisify(execFile);
const SETS = Object.entries(VALUE_SETS);

interface Rule {
  readonly resources: readonly string[];
}

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Pod {
  readonly serviceAccountName: string;
  readonly containers: readonly Container[];
  readonly [field: string]: unknown;
}

function render(options: RenderOptions): readonly Manifest[] {
  return parseManifests(renderChart(options));
}

function rendered(set: string): readonly Manifest[] {
  return render(VALUE_SETS[set] ?? {});
}

function find(manifests: readonly Manifest[], kind: string): Manifest | undefined {
  return manifests.find((manifest) => manifest.kind === kind);
}

function podOf(manifests: readonly Manifest[]): {
  readonly labels: Record<string, string>;
  readonly spec: Pod;
} {
  const { template } = specOf(find(manifests, 'Deployment')) as {
    template: { metadata: { labels: Record<string, string> }; spec: Pod };
  };
  return { labels: template.metadata.labels, spec: template.spec };
}

function specOf(manifest: Manifest | undefined): unknown {
  if (!manifest) throw new TypeError('Expected a manifest');
  return manifest['spec'];
}

function dataOf(manifest: Manifest | undefined): Readonly<Record<string, string>> {
  if (!manifest) throw new TypeError('Expected a ConfigMap');
  return manifest['data'] as Readonly<Record<string, string>>;
}

function configHash(config: object): string | undefined {
  const manifests = render({ values: { config: { rds: { address: 'box' }, ...config } } });
  const { template } = specOf(find(manifests, 'Deployment')) as {
    template: { metadata: { annotations: Record<string, string> } };
  };
  return template.metadata.annotations['reattach.srvlab.io/config-hash'];
}

function isWithin(key: string, other: string): boolean {
  return key === other || key.startsWith(`${other}.`);
}

/** Rules of roles, by kind and namespace. */
function rulesOf(manifests: readonly Manifest[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    manifests
      .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
      .map((role) => [`${role.kind} ${role.metadata.namespace ?? ''}`, role['rules']]),
  );
}

describe('deploy/chart', () => {
  it('has the table of values in its README', () => {
    expect(readChartFile('README.md')).toContain(`\n\n${valuesTable()}\n\n`);
  });

  it('documents every value', () => {
    expect(documentedValues().filter(({ meaning }) => meaning === '')).toEqual([]);
  });

  it('uses every value, and no others', () => {
    const templates = globSync('templates/*', { cwd: CHART }).map(readChartFile).join('\n');
    const used = new Set([...templates.matchAll(/\.Values\.([\w.]+)/g)].map(([, key = '']) => key));
    const known = documentedValues().map(({ key }) => key);
    expect(known.filter((key) => ![...used].some((each) => isWithin(key, each)))).toEqual([]);
    expect(
      [...used].filter((each) => !each.startsWith('config.') && !known.some((key) => isWithin(each, key))),
    ).toEqual([]);
  });

  it('knows the options of the controller in its schema', () => {
    const { properties } = JSON.parse(readChartFile('values.schema.json')) as {
      properties: Readonly<Record<string, unknown>>;
    };
    expect(properties['config']).toEqual(configSchema(documentedOptions()));
  });

  it('knows its own values in its schema', () => {
    const { properties } = JSON.parse(readChartFile('values.schema.json')) as { properties: object };
    expect(Object.keys(properties).toSorted()).toEqual(
      ['global', ...Object.keys(defaultValues())].toSorted(),
    );
  });

  it.each([
    ['a mode that does not exist', { config: { mode: 'fance' } }, '/config/mode must be equal to one of'],
    ['an unknown option', { config: { grace: 1 } }, '/config must NOT have additional properties: grace'],
    ['an unknown value', { replica: 1 }, '/ must NOT have additional properties: replica'],
    ['an unsafe time', { config: { gracePeriodMs: 3_000 } }, '/config/gracePeriodMs must be >= 10000'],
    [
      'a file of the pod',
      { config: { rds: { privateKeyFile: '/key' } } },
      'additional properties: privateKeyFile',
    ],
    [
      'two pods without a leader',
      { config: { leaderElection: { enabled: false } } },
      '/replicas must be <= 1',
    ],
    ['a port that is none', { port: 0 }, '/port must be >= 1'],
  ])('refuses %s', (_, values, error) => {
    expect(schemaErrors(values).join('\n')).toContain(error);
  });

  it('is of the version of the controller', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'apps/controller/package.json'), 'utf8')) as {
      version: string;
    };
    expect(parse(readChartFile('Chart.yaml'))).toMatchObject({ appVersion: version });
  });

  it('asks for the address of the box', () => {
    expect(() => renderChart()).toThrow('config.rds.address: the SSH address of the storage box is needed');
  });

  it('is in mode observe unless told otherwise', () => {
    expect(defaultValues()).toMatchObject({ config: { mode: 'observe' }, replicas: 2 });
  });

  describe('permissions', () => {
    const documents = parseAllDocuments(readFileSync(join(ROOT, 'deploy/rbac.yaml'), 'utf8'));
    const documented = documents.map((document) => document.toJS() as Manifest);

    it('are those of deploy/rbac.yaml when everything is used', () => {
      const config = { rds: { address: 'box' }, mode: 'fence', earlyDetection: true };
      expect(rulesOf(render({ values: { config } }))).toEqual(rulesOf(documented));
    });

    it.each([
      [{ mode: 'observe' }, []],
      [{ mode: 'observe', earlyDetection: true, strategy: 'out-of-service' }, []],
      [{ mode: 'release' }, ['pods', 'volumeattachments', 'nodes/status']],
      [{ mode: 'release', strategy: 'in-use' }, ['pods', 'volumeattachments', 'nodes/status']],
      [{ mode: 'release', strategy: 'delete' }, ['pods', 'volumeattachments']],
      [{ mode: 'fence', strategy: 'out-of-service' }, ['pods', 'volumeattachments', 'nodes']],
      [{ mode: 'fence', strategy: 'delete', earlyDetection: true }, ['pods', 'volumeattachments', 'nodes']],
    ])('with %j hold no more than is needed: to write %j', (config, writable) => {
      const rules = rulesOf(render({ values: { config: { rds: { address: 'box' }, ...config } } }));
      const all = rulesOf(documented)['ClusterRole '] as readonly Rule[];
      const reading = all.slice(0, 5);
      expect(rules['ClusterRole ']).toEqual([
        ...reading,
        ...all.slice(5).filter(({ resources: [resource = ''] }) => writable.includes(resource)),
      ]);
      expect('Role kube-node-lease' in rules).toBe('earlyDetection' in config);
    });

    it.each(SETS)('are bound to the ServiceAccount of the pods: %s', (_, options) => {
      const manifests = render(options);
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

  describe.each(SETS)('with %s', (_, options) => {
    const manifests = render(options);

    it('names every object once and labels it', () => {
      const names = manifests.map(
        ({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`,
      );
      expect(new Set(names).size).toBe(names.length);
      for (const { metadata } of manifests)
        expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'reattach' });
    });

    it('selects its own pods everywhere', () => {
      const { labels } = podOf(manifests);
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
      const folder = await mkdtemp(join(tmpdir(), 'reattach-chart-'));
      try {
        const { stdout } = await probe(manifests, folder);
        expect(stdout).toContain('/system/resource');
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });

  it('keeps its pods apart, and off a node that is lost', () => {
    expect(podOf(rendered('first look')).spec).toMatchObject({
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

  it('starts new pods when the configuration changes', () => {
    expect(configHash({ mode: 'fence' })).not.toBe(configHash({ mode: 'release' }));
  });

  it('ships the alerts and the dashboard as the files have them', () => {
    const manifests = rendered('mode fence, everything on');
    const [rules] = parseAllDocuments(readChartFile('rules/reattach.yaml'));
    expect(find(manifests, 'PrometheusRule')?.['spec']).toEqual(rules?.toJS());
    const dashboard = manifests.find(({ metadata }) => metadata.name.endsWith('-dashboard'));
    const { 'reattach.json': text = '' } = dataOf(dashboard);
    expect(text.trim()).toBe(readChartFile('dashboards/reattach.json').trim());
  });

  it('draws every panel of the dashboard in a place of its own', () => {
    const { panels } = JSON.parse(readChartFile('dashboards/reattach.json')) as {
      panels: readonly { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
    };
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const places = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(places).size).toBe(places.length);
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
  });

  it('limits changes of Nodes where something is changed', () => {
    expect(find(rendered('first look'), 'ValidatingAdmissionPolicy')).toBeUndefined();
    const policy = JSON.stringify(find(rendered('mode fence, everything on'), 'ValidatingAdmissionPolicy'));
    expect(policy).toContain("request.userInfo.username == 'system:serviceaccount:storage:failover'");
    expect(policy).toContain("v.startsWith('kubernetes.io/csi/rds.csi.srvlab.io^')");
  });
});

/** Starts the controller with the environment and the files that the pod would have; `--probe` needs neither cluster nor box. */
async function probe(manifests: readonly Manifest[], folder: string): Promise<{ readonly stdout: string }> {
  const [container] = podOf(manifests).spec.containers;
  const config = manifests.find(
    ({ kind, metadata }) => kind === 'ConfigMap' && !metadata.name.endsWith('-dashboard'),
  );
  const { 'config.yaml': text = '' } = dataOf(config);
  const relocate = (path: string) => path.replaceAll('/etc/reattach-box/', `${folder}/`);
  await writeFile(join(folder, 'config.yaml'), relocate(text));
  for (const name of ['id_ed25519', 'passphrase', 'host-key', 'west'])
    await writeFile(join(folder, name), 'for tests');
  const env = Object.fromEntries(
    (container?.env ?? []).flatMap(({ name, value }) =>
      value === undefined ? [] : [[name, relocate(value).replace('/etc/reattach/', `${folder}/`)]],
    ),
  );
  const args = ['--conditions=source', join(ROOT, 'apps/controller/src/main.ts'), 'doctor', '--probe'];
  return run(process.execPath, args, { env });
}
