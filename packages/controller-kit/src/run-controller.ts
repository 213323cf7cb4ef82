import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { type Clock, type Logger, PassReporter, silentLogger, systemClock } from '@reattach/core';
import { KubeEventRecorder } from '@reattach/k8s-actions';
import { type KubeApi, loadKubeApi } from '@reattach/k8s-api';
import { type BackendSource, type ControllerConfig, composeController } from './compose-controller.ts';
import { Teardown } from './teardown.ts';

export interface RunControllerOptions {
  /** At least one; names are unique. */
  readonly backends: readonly BackendSource[];
  readonly config: ControllerConfig;
  /** Stops the controller: passes end, then everything is disposed. */
  readonly signal: AbortSignal;
  /** Stays open. Default: the kubeconfig files below, or the service account of the pod. */
  readonly api?: KubeApi;
  /** Merged as kubectl does. Default: the service account of the pod. */
  readonly kubeconfigPaths?: readonly string[];
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Called after the first pass of a term: releases happen from now on. */
  readonly onStarted?: () => void;
}

/**
 * Runs the whole release for storage backends of your own until `signal` aborts: caches, leader election, passes, Events, logs.
 * Metrics and spans go to the OpenTelemetry SDK that the process registered, if any.
 * @throws {TypeError} when there is no backend, or two share a name
 * @throws whatever kept the controller from starting, after what had started was stopped
 */
export async function runController(options: RunControllerOptions): Promise<void> {
  const { backends, config, signal, clock = systemClock, logger = silentLogger } = options;
  requireUniqueNames(backends);
  await using teardown = new Teardown();
  const { kubeconfigPaths } = options;
  const api = options.api ?? teardown.use('kubernetes-api', loadKubeApi({ kubeconfigPaths, logger, clock }));
  const identity = `${hostname()}-${randomBytes(4).toString('hex')}`;
  const events = new KubeEventRecorder({ api, clock, logger, reportingInstance: identity });
  const reporter = teardown.use('reporter', new PassReporter({ logger, clock, events }));
  const controller = composeController({
    config,
    backends,
    api,
    identity,
    observer: reporter,
    clock,
    logger,
    teardown,
  });
  try {
    await controller.run(signal, {
      started: () => options.onStarted?.(),
      ended: () => reporter.forget(),
    });
  } catch (err) {
    if (err !== signal.reason) throw err;
  }
}

function requireUniqueNames(backends: readonly BackendSource[]): void {
  const names = backends.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (names.length === 0) throw new TypeError('Expected at least one backend in "backends", got none');
  if (twice !== undefined) throw new TypeError(`Expected unique names in "backends", got "${twice}" twice`);
}
