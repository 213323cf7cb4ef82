import type { Values } from './chart-files.ts';

/** How the chart is installed. */
export interface RenderOptions {
  /** Merged over those of `values.yaml`. */
  readonly values?: Values;
  /** Name of the release. Default `reattach`. */
  readonly name?: string;
  /** Default `reattach`. */
  readonly namespace?: string;
  /** Version of the cluster, such as `1.30`. Default: the one that Helm was built for. */
  readonly kubeVersion?: string;
}

const BACKEND = { rds: { address: 'backend.example.org' } } as const;

/** What operators may install: from the least to everything at once. */
export const VALUE_SETS: Readonly<Record<string, RenderOptions>> = {
  'the least values': { values: { config: BACKEND } },
  'strategy delete': { values: { config: { ...BACKEND, mode: 'fence', strategy: 'delete' } } },
  'mode fence, everything on': {
    name: 'failover',
    namespace: 'storage',
    values: {
      fullnameOverride: 'reattach',
      image: { repository: 'registry.example.org/reattach', digest: `sha256:${'0'.repeat(64)}` },
      imagePullSecrets: [{ name: 'registry' }],
      config: {
        ...BACKEND,
        mode: 'fence',
        gracePeriodMs: '45s',
        earlyDetection: true,
        otlp: { endpoint: 'http://collector.observability:4318' },
        fence: { neverFence: 'boots-from-backend=true' },
      },
      secret: { passphrase: 'passphrase' },
      serviceAccount: { name: 'failover', annotations: { 'example.org/identity': 'failover' } },
      networkPolicy: {
        backendCidrs: ['10.0.0.10/32', 'fd00::10/128'],
        namespaces: ['monitoring', 'support'],
        ingressFrom: [{ ipBlock: { cidr: '10.0.0.0/24' } }],
        extraEgress: [{ ports: [{ port: 4318 }] }],
      },
      serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
      prometheusRule: {
        enabled: true,
        labels: { release: 'prometheus' },
        runbookUrl: 'https://docs.example.org/runbook',
        pageUrl: 'https://reattach.example.org/',
      },
      dashboard: { enabled: true },
      audit: { volume: { emptyDir: { sizeLimit: '64Mi' } } },
      extraEnv: [{ name: 'REATTACH_LOG_LEVEL', value: 'debug' }],
      podAnnotations: { 'example.org/team': 'storage' },
      podLabels: { tier: 'infrastructure' },
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
        {
          maxSkew: 2,
          topologyKey: 'example.org/rack',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { tier: 'infrastructure' } },
        },
      ],
    },
  },
  'a Linux target': {
    values: { config: { mode: 'fence', 'linux-nvmet': { address: 'target.example.org' } } },
  },
  'backends of both kinds': {
    values: {
      config: {
        mode: 'fence',
        backends: [
          { address: '10.0.0.1' },
          { kind: 'linux-nvmet', name: 'target', address: '10.0.0.2', ports: '4420' },
        ],
      },
    },
  },
  'two backends': {
    values: {
      config: {
        mode: 'fence',
        backends: [
          {
            name: 'east',
            address: '10.0.0.1',
            hostKey: 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU',
          },
          { name: 'west', address: '10.0.0.2:2222', hostKeyFile: '/etc/reattach-backend/west' },
        ],
      },
      secret: { hostKey: '' },
      networkPolicy: { backendPorts: [22, 2222] },
    },
  },
  'one pod, nothing that is optional': {
    values: {
      replicas: 1,
      config: {
        ...BACKEND,
        mode: 'fence',
        strategy: 'out-of-service',
        events: false,
        leaderElection: { enabled: false },
        rds: { ...BACKEND.rds, hostKey: 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU' },
      },
      listenHost: '[::]',
      rbac: { create: false },
      serviceAccount: { create: false, name: 'mine' },
      admissionPolicy: { enabled: false },
      networkPolicy: { enabled: false },
      service: { enabled: false },
      podDisruptionBudget: { enabled: false },
      podAntiAffinity: 'preferred',
      priorityClassName: '',
      tolerations: [],
      affinity: {},
      resources: {},
    },
  },
};
