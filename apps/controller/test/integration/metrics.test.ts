import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Lab } from './support/lab.ts';
import { labelsTable, metricsTable } from './support/metrics-table.ts';
import { attributesOf, type ExposedMetric, parseMetrics } from './support/metrics-text.ts';
import type { RunningController } from './support/running-controller.ts';

const LOST = 'node-a';
const BACKEND = ['127.0.0.1'];
const RESOURCES = [
  'leases',
  'nodes',
  'persistentvolumes',
  'pods',
  'virtualmachineinstancemigrations',
  'volumeattachments',
];
const HOLD_REASONS = [
  'address-conflict',
  'attacher-stuck',
  'cache-stale',
  'dry-run',
  'fence-excluded',
  'fence-failed',
  'mass-failure',
  'other-actor',
  'other-drivers',
  'pod-stays',
  'quiesce-unproved',
  'sibling-held',
  'storage-unknown',
  'unattributed-session',
  'volume-unknown',
];
const TRIGGER_REASONS = [
  'attachment-changed',
  'deadline',
  'manual',
  'node-deleted',
  'node-not-ready',
  'periodic',
  'retry',
  'startup',
  'storage-reconnected',
];
const NODE_STATES = ['gone', 'lease-stale', 'not-ready', 'ready'];

/**
 * Every metric, as dashboards and alerts know it, after a fail-over with faults. Renaming or dropping one breaks
 * them: it is a change that operators must know of.
 */
const EXPOSED = {
  target_info: { type: 'gauge', service_name: ['reattach'], service_version: ['0.0.0'] },
  reattach_k8s_request_duration_seconds: {
    type: 'histogram',
    reattach_operation: [
      'add fenced taint',
      'create event',
      'create leader lease',
      'delete pod',
      'get cluster id',
      'get leader lease',
      'get node',
      'get pod',
      'get records',
      'remove fenced taint',
      'remove volumes in use',
      'update leader lease',
      'update records',
    ],
    error_type: ['NOT_FOUND', 'UNAVAILABLE'],
  },
  reattach_ssh_command_duration_seconds: {
    type: 'histogram',
    reattach_storage_backend: BACKEND,
    reattach_ssh_command: [
      'add fence',
      'probe network',
      'probe serialize',
      'probe stats',
      'read backend',
      'read fences',
      'read network',
      'read sessions',
      'remove fence',
      'version',
    ],
  },
  reattach_backend_connection_state: { type: 'gauge', reattach_storage_backend: BACKEND },
  reattach_backend_reconnects_total: {
    type: 'counter',
    reattach_storage_backend: BACKEND,
    reattach_backend_reconnect_status: ['failure', 'success'],
  },
  reattach_backend_reconnect_duration_seconds: { type: 'histogram', reattach_storage_backend: BACKEND },
  reattach_watch_events_total: { type: 'counter', reattach_k8s_resource: RESOURCES },
  reattach_watch_relists_total: { type: 'counter', reattach_k8s_resource: RESOURCES },
  reattach_watch_reconnects_total: {
    type: 'counter',
    reattach_k8s_resource: RESOURCES,
    reattach_watch_reconnect_reason: [
      'eof',
      'forbidden',
      'gone',
      'idle',
      'invalid',
      'malformed',
      'not_found',
      'server_error',
      'stale',
      'timeout',
      'too_many_requests',
      'unauthorized',
      'unavailable',
      'unexpected',
    ],
  },
  reattach_watch_handler_errors_total: { type: 'counter', reattach_k8s_resource: RESOURCES },
  reattach_watch_cache_age_seconds: { type: 'gauge', reattach_k8s_resource: RESOURCES },
  reattach_watch_cache_objects: { type: 'gauge', reattach_k8s_resource: RESOURCES },
  reattach_effects_total: {
    type: 'counter',
    reattach_effect: [
      'cleanup-failed',
      'detach-requested',
      'detaching',
      'failed',
      'fell-back',
      'fence-forgotten',
      'fence-restored',
      'fenced',
      'fenced-taint-added',
      'fenced-taint-removed',
      'pod-deleted',
      'postponed',
      'restore-failed',
      'superseded',
      'unfenced',
      'untainted',
    ],
  },
  reattach_attachment_releases_total: {
    type: 'counter',
    reattach_release_strategy: ['delete', 'in-use', 'out-of-service'],
  },
  reattach_attachment_holds_total: { type: 'counter', reattach_hold_reason: HOLD_REASONS },
  reattach_attachment_release_delay_seconds: { type: 'histogram', reattach_release_strategy: ['in-use'] },
  reattach_attachment_stale: {
    type: 'gauge',
    reattach_hold_reason: [...HOLD_REASONS, 'fencing', 'releasing', 'waiting'].toSorted(),
  },
  reattach_attachment_stale_age_seconds: {
    type: 'gauge',
    reattach_hold_reason: [...HOLD_REASONS, 'fencing', 'releasing', 'waiting'].toSorted(),
  },
  reattach_attachments: { type: 'gauge', reattach_node_state: NODE_STATES },
  reattach_nodes_address_fenced: { type: 'gauge', reattach_node_state: ['ready'] },
  reattach_attachment_held_age_seconds: { type: 'gauge', reattach_hold_reason: HOLD_REASONS },
  reattach_attachment_release_duration_seconds: { type: 'histogram', reattach_release_strategy: ['in-use'] },
  reattach_attachment_release_failures_total: {
    type: 'counter',
    reattach_release_step: ['add-fenced-taint', 'delete-pod', 'detach', 'fence'],
  },
  reattach_fence_age_seconds: { type: 'gauge', reattach_cleanup: ['keep-fence', 'unfence'] },
  reattach_leader: { type: 'gauge' },
  reattach_backend_reading_age_seconds: { type: 'gauge', reattach_storage_backend: BACKEND },
  reattach_backend_unattributed_sessions: { type: 'gauge', reattach_storage_backend: BACKEND },
  reattach_fences: { type: 'gauge', reattach_cleanup: ['keep-fence', 'unfence'] },
  reattach_attachment_reconcile_passes_total: {
    type: 'counter',
    reattach_trigger_reason: TRIGGER_REASONS,
    reattach_reconcile_result: ['aborted', 'failed', 'ok'],
  },
  reattach_trigger_requests_total: {
    type: 'counter',
    reattach_trigger_reason: TRIGGER_REASONS,
  },
  reattach_attachment_reconcile_duration_seconds: { type: 'histogram', reattach_reconcile_result: ['ok'] },
  reattach_attachment_reconcile_actions_total: {
    type: 'counter',
    reattach_reconcile_action: ['node_watcher_trigger', 'untrack'],
  },
};

/** What a controller has counted by the time it is ready in a quiet world without KubeVirt. */
const COUNTED_AT_START = new Set([
  'reattach_attachment_reconcile_passes_total startup ok',
  'reattach_attachment_reconcile_passes_total deadline ok',
  'reattach_trigger_requests_total startup',
  'reattach_trigger_requests_total deadline',
  'reattach_watch_events_total leases',
  'reattach_watch_reconnects_total virtualmachineinstancemigrations not_found',
]);

const FLAGS = {
  'early-detection': true, // watches Leases, too
  'leader-election-enabled': true,
  'leader-election-namespace': 'kube-system',
  'leader-election-lease-duration-ms': 15_000,
};

async function scrapeText(controller: RunningController): Promise<string> {
  const { status, text } = await controller.get('/metrics');
  expect(status).toBe(200);
  return text;
}

async function scrape(controller: RunningController): Promise<ReadonlyMap<string, ExposedMetric>> {
  return parseMetrics(await scrapeText(controller));
}

/** The table below a heading of docs/telemetry.md. */
function tableOf(heading: string): string {
  const docs = readFileSync(new URL('../../../../docs/telemetry.md', import.meta.url), 'utf8');
  const [, section = ''] = new RegExp(`^#+ ${heading}$([^]*?)(?=^#|(?![^]))`, 'm').exec(docs) ?? [];
  return (section.match(/^\|.*$/gm) ?? []).join('\n');
}

function valueOf(
  metrics: ReadonlyMap<string, ExposedMetric>,
  name: string,
  attribute?: string,
): number | undefined {
  const samples = metrics.get(name)?.samples ?? [];
  return samples.find(
    ({ attributes }) => attribute === undefined || Object.values(attributes).includes(attribute),
  )?.value;
}

function exposedAs(metric: ExposedMetric | undefined): unknown {
  return metric && { type: metric.type, ...attributesOf(metric) };
}

describe('/metrics', () => {
  it('counts from 0 for every known attribute value', async () => {
    await using lab = await Lab.start();
    const metrics = await scrape(await lab.ready(FLAGS));
    const counters = [...metrics.values()].filter(({ type }) => type === 'counter');
    const counted = counters
      .flatMap(({ samples }) => samples)
      .filter(({ value }) => value > 0)
      .map(({ name, attributes }) => [name, ...Object.values(attributes)].join(' '));
    expect(counted.filter((each) => !COUNTED_AT_START.has(each))).toEqual([]);
    const known = Object.entries(EXPOSED).filter(([, { type }]) => type !== 'histogram');
    const exposed = known.map(([name]) => [name, exposedAs(metrics.get(name))]);
    expect(Object.fromEntries(exposed)).toEqual(Object.fromEntries(known));
  });

  it('exposes these names and attributes, no node and no volume among them, and the result of a fail-over', async () => {
    await using lab = await Lab.start();
    const { kube, rds } = lab.world;
    const controller = await lab.ready(FLAGS);
    lab.world.node(LOST).kubelet.stop();
    kube.faults.add({ method: 'DELETE' }, { kind: 'reset' });
    await lab.failedOver(LOST);
    const failedOver = await scrape(controller);
    expect(valueOf(failedOver, 'reattach_attachment_releases_total', 'in-use')).toBe(2);
    expect(valueOf(failedOver, 'reattach_effects_total', 'fenced')).toBe(1);
    expect(valueOf(failedOver, 'reattach_effects_total', 'pod-deleted')).toBe(2);

    rds.faults.dropConnections();
    await lab.until('a lost connection', () => !controller.isReady);
    expect(valueOf(await scrape(controller), 'reattach_backend_connection_state')).toBe(0);
    await lab.until('a new connection', () => controller.isReady);
    lab.world.powerOff(LOST);
    lab.world.powerOn(LOST);
    await lab.until('the fence to go', () => rds.device.addressList.entries.length === 0);
    await lab.runFor(1_000);

    const text = await scrapeText(controller);
    const metrics = parseMetrics(text);
    const exposed = [...metrics].map(([name, metric]) => [name, exposedAs(metric)]);
    expect(Object.fromEntries(exposed)).toEqual(EXPOSED);
    expect(tableOf('Metrics')).toBe(metricsTable(text));
    expect(tableOf('Labels')).toBe(labelsTable(text));
    expect(valueOf(metrics, 'reattach_backend_reconnects_total', 'success')).toBe(1);
    expect(valueOf(metrics, 'reattach_effects_total', 'unfenced')).toBe(1);
    expect(valueOf(metrics, 'reattach_backend_connection_state')).toBe(1);
    expect(valueOf(metrics, 'reattach_fences', 'keep-fence')).toBe(0);
  });

  it('shows what is held now and why', async () => {
    await using lab = await Lab.start();
    const controller = await lab.ready({ mode: 'observe' });
    lab.world.powerOff(LOST);
    await lab.until('a hold', () => controller.logged('Held release', { reason: 'dry-run' }).length === 2);
    const held = await scrape(controller);
    expect(valueOf(held, 'reattach_attachment_stale', 'dry-run')).toBe(2);
    expect(valueOf(held, 'reattach_attachment_holds_total', 'dry-run')).toBe(2);
    lab.world.powerOn(LOST);
    await lab.until('the node to be back', () => lab.isReady(LOST));
    await lab.runFor(1_000);
    const back = await scrape(controller);
    expect(valueOf(back, 'reattach_attachment_stale', 'dry-run')).toBe(0);
    expect(valueOf(back, 'reattach_attachment_holds_total', 'dry-run')).toBe(2);
  });

  it('leaves what is stale and what is fenced to the replica that leads', async () => {
    await using lab = await Lab.start();
    const controller = await lab.ready({ ...FLAGS, mode: 'observe', 'early-detection': false });
    lab.world.powerOff(LOST);
    await lab.until('a hold', () => controller.logged('Held release', { reason: 'dry-run' }).length === 2);
    expect(valueOf(await scrape(controller), 'reattach_leader')).toBe(1);
    const lease = { spec: { holderIdentity: 'another' } };
    lab.world.kube.store.patch('Lease', 'reattach', lease, 'kube-system');
    await lab.until('leadership to be lost', () => controller.logged('Lost leadership').length === 1);
    await lab.runFor(1_000);
    const standby = await scrape(controller);
    expect(valueOf(standby, 'reattach_leader')).toBe(0);
    for (const name of [
      'reattach_attachment_stale',
      'reattach_attachment_stale_age_seconds',
      'reattach_attachment_held_age_seconds',
      'reattach_attachments',
    ]) {
      expect(standby.get(name)?.samples.filter(({ value }) => value !== 0)).toEqual([]);
    }
  });
});
