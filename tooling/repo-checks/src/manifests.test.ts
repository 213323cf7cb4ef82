import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Manifest, parseManifests } from './chart/chart-files.ts';
import { manifestOf, podOf } from './chart/pod-of.ts';
import { documentedRoles, rolesOf } from './chart/roles.ts';
import { configOf, probeAsPod } from './chart/start-as-pod.ts';
import { ROOT } from './documents.ts';

const documented = documentedRoles();
/** Rules that the README of k8s-actions lists after those for reading, by their first resource. */
const WRITABLE: Readonly<Record<string, readonly string[]>> = {
  observe: [],
  fence: ['pods', 'volumeattachments', 'nodes/status', 'nodes'],
};
/** The first rules of the documented ClusterRole, which every mode needs. */
const READING_RULES = 6;

function manifestsFor(mode: string): readonly Manifest[] {
  return parseManifests(readFileSync(join(ROOT, 'deploy/manifests', `${mode}.yaml`), 'utf8'));
}

/** Helm renders these files, and an end-to-end test compares them. Here: what the controller needs of them. */
describe.each(Object.entries(WRITABLE))('deploy/manifests/%s.yaml', (mode, writable) => {
  const manifests = manifestsFor(mode);
  const pod = podOf(manifests);
  const [container] = pod.spec.containers;

  it('configures the mode of its name', () => {
    expect(parse(configOf(manifests))).toMatchObject({ mode });
  });

  it('starts the controller with options that it accepts', async () => {
    expect(container.args).toEqual(['run']);
    expect(await probeAsPod(manifests)).toContain('/system/resource');
  }, 60_000);

  it('grants the documented permissions of the mode', () => {
    const all = documented.get('ClusterRole') ?? [];
    const writing = all
      .slice(READING_RULES)
      .filter(({ resources: [resource = ''] }) => writable.includes(resource));
    expect(writing.length).toBe(writable.length);
    expect(rolesOf(manifests)).toEqual(
      new Map([
        ['ClusterRole', [...all.slice(0, READING_RULES), ...writing]],
        ['Role reattach', documented.get('Role reattach')],
      ]),
    );
  });

  it('binds the permissions to the ServiceAccount of the pods', () => {
    const { name, namespace } = manifestOf(manifests, 'ServiceAccount').metadata;
    expect(pod.spec.serviceAccountName).toBe(name);
    for (const kind of ['ClusterRoleBinding', 'RoleBinding'])
      expect(manifestOf(manifests, kind)['subjects']).toEqual([{ kind: 'ServiceAccount', name, namespace }]);
  });

  it('probes and serves the ports on which the controller listens', () => {
    const [port, probes] = container.ports;
    expect([port, probes]).toMatchObject([{ name: 'http' }, { name: 'probes' }]);
    const listen = container.env.find(({ name }) => name === 'REATTACH_HTTP_LISTEN');
    expect(listen?.value).toBe(`0.0.0.0:${port?.containerPort}`);
    const probeListen = container.env.find(({ name }) => name === 'REATTACH_HTTP_PROBE_LISTEN');
    expect(probeListen?.value).toBe(`0.0.0.0:${probes?.containerPort}`);
    expect(container).toMatchObject({
      livenessProbe: { httpGet: { path: '/livez', port: probes?.name } },
      readinessProbe: { httpGet: { path: '/readyz', port: probes?.name } },
    });
    expect(manifestOf(manifests, 'Service')['spec']).toMatchObject({
      ports: [{ port: port?.containerPort, targetPort: port?.name }],
    });
  });
});

describe('deploy/manifests/fence.yaml', () => {
  it('limits what the ServiceAccount may change in a Node', () => {
    const policies = manifestsFor('fence').filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
    expect(policies.map(({ metadata }) => metadata.name)).toEqual(['reattach-nodes', 'reattach']);
    expect(JSON.stringify(policies)).toContain("'system:serviceaccount:reattach:reattach'");
  });
});
