import type { RenderOptions } from './render-chart.ts';

const BOX = { rds: { address: 'box.example.org' } } as const;

/** What operators may install: from the least to everything at once. */
export const VALUE_SETS: Readonly<Record<string, RenderOptions>> = {
  'first look': { values: { config: BOX } },
  'mode release': { values: { config: { ...BOX, mode: 'release', strategy: 'delete' } } },
  'mode fence, everything on': {
    name: 'failover',
    namespace: 'storage',
    values: {
      fullnameOverride: 'reattach',
      image: { repository: 'registry.example.org/reattach', tag: '1.2.3' },
      imagePullSecrets: [{ name: 'registry' }],
      config: {
        ...BOX,
        mode: 'fence',
        earlyDetection: true,
        otlp: { endpoint: 'http://collector.observability:4318' },
        fence: { neverFence: 'boots-from-box=true' },
      },
      secret: { passphrase: 'passphrase' },
      serviceAccount: { name: 'failover', annotations: { 'example.org/identity': 'failover' } },
      networkPolicy: {
        boxCidrs: ['10.0.0.10/32', 'fd00::10/128'],
        ingressFrom: [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }],
        extraEgress: [{ ports: [{ port: 4318 }] }],
      },
      serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
      prometheusRule: { enabled: true, labels: { release: 'prometheus' } },
      dashboard: { enabled: true },
      audit: { volume: { emptyDir: { sizeLimit: '64Mi' } } },
      extraEnv: [{ name: 'REATTACH_LOG_LEVEL', value: 'debug' }],
      podAnnotations: { 'example.org/team': 'storage' },
      podLabels: { tier: 'infrastructure' },
      nodeSelector: { 'kubernetes.io/os': 'linux' },
    },
  },
  'two boxes': {
    values: {
      config: {
        mode: 'fence',
        boxes: [
          {
            name: 'east',
            address: '10.0.0.1',
            hostKey: 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU',
          },
          { name: 'west', address: '10.0.0.2:2222', hostKeyFile: '/etc/reattach-box/west' },
        ],
      },
      secret: { hostKey: '' },
      networkPolicy: { boxPorts: [22, 2222] },
    },
  },
  'one pod, nothing that is optional': {
    values: {
      replicas: 1,
      config: {
        ...BOX,
        mode: 'release',
        strategy: 'out-of-service',
        events: false,
        leaderElection: { enabled: false },
        rds: { ...BOX.rds, hostKey: 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU' },
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
      resources: {},
    },
  },
};
