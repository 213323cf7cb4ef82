import { describe, expect, it } from 'vitest';
import { type Manifest, type Values } from '../../src/chart/chart-files.ts';
import { manifestOf } from '../../src/chart/pod-of.ts';
import { VALUE_SETS } from '../../src/chart/value-sets.ts';
import { findHelm } from './real-helm.ts';

const BACKEND = { rds: { address: 'backend' } } as const;
const helm = await findHelm();

async function render(values: Values): Promise<readonly Manifest[]> {
  return (await helm?.render({ values })) ?? [];
}

const notes = (values: Values) => helm?.notes({ values, namespace: 'storage' });

describe.skipIf(helm === undefined)('deploy/chart, installed by Helm', () => {
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
      'a time of an unknown unit',
      { config: { gracePeriodMs: '30x' } },
      "at '/config/gracePeriodMs': '30x' does not match pattern",
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

  describe('NOTES', () => {
    const image = { repository: 'registry.example.org/reattach' };

    it('say in mode observe what to do next, and warn of nothing without need', async () => {
      const text = await notes({ config: BACKEND, image });
      expect(text).toContain('runs in mode observe: it decides and reports, and changes nothing');
      expect(text).toContain('kubectl -n storage create secret generic reattach-backend ');
      expect(text).toContain('kubectl -n storage exec deploy/reattach -- ');
      expect(text).toContain('--reset-then-reuse-values --set config.mode=fence');
      expect(text).not.toContain('WARNING');
    });

    it('say in mode fence how to check it', async () => {
      const text = await notes({ config: { ...BACKEND, mode: 'fence' }, image });
      expect(text).toContain('runs in mode fence.');
      expect(text).toContain('kubectl -n storage exec deploy/reattach -- ');
      expect(text).not.toContain('config.mode=fence');
      expect(text).not.toContain('WARNING');
    });

    it.each<[string, Values]>([
      ['image.repository is the default', { config: BACKEND }],
      ['The NetworkPolicy admits no scraper', { config: BACKEND, serviceMonitor: { enabled: true } }],
      [
        'serviceMonitor.enabled needs service.enabled',
        { config: BACKEND, serviceMonitor: { enabled: true }, service: { enabled: false } },
      ],
      [
        'admissionPolicy.enabled is false',
        { config: { ...BACKEND, mode: 'fence' }, admissionPolicy: { enabled: false } },
      ],
    ])('warn: %s', async (warning, values) => {
      expect(await notes(values)).toContain(`WARNING: ${warning}`);
    });
  });

  it('packs its licence, alerts and dashboard', async () => {
    expect(await helm?.packedFiles()).toEqual(
      expect.arrayContaining([
        'reattach/LICENSE',
        'reattach/README.md',
        'reattach/values.schema.json',
        'reattach/rules/reattach.yaml',
        'reattach/dashboards/reattach.json',
      ]),
    );
  });
});

function policiesOf(manifests: readonly Manifest[]): readonly string[] {
  return manifests
    .filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
    .map(({ metadata }) => metadata.name)
    .toSorted();
}
