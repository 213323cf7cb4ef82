import type { Clock } from '@reattach/core';
import { loadKubeApi } from '@reattach/k8s-api';
import { createRdsBox, type RdsBox } from '@reattach/rds-client';
import type { BoxConfig, Config } from '../config.ts';
import { podNamespace } from '../pod-namespace.ts';
import { type BoxFindings, boxChecks } from './box-checks.ts';
import { type Check, failed } from './check.ts';
import { clusterChecks } from './cluster-checks.ts';

/** Looks at everything the controller depends on, and changes nothing. */
export async function runDoctor(
  config: Config,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const parts = [
    examineCluster(config, clock, signal),
    ...config.boxes.map((box) => examineBox(config, box, clock, signal)),
  ];
  return (await Promise.all(parts)).flat();
}

async function examineCluster(config: Config, clock: Clock, signal: AbortSignal): Promise<readonly Check[]> {
  const { kubeconfigPath, context, policy, leaderElection } = config;
  try {
    await using api = loadKubeApi({
      ...(kubeconfigPath !== undefined && { kubeconfigPath }),
      ...(context !== undefined && { context }),
      clock,
    });
    const leaseNamespace = leaderElection && (leaderElection.namespace ?? podNamespace());
    return await clusterChecks({
      api,
      policy,
      ...(leaseNamespace !== undefined && { leaseNamespace }),
      signal,
    });
  } catch (err) {
    signal.throwIfAborted();
    return [failed('cluster reachable', err instanceof Error ? err.message : String(err))];
  }
}

async function examineBox(
  { boxes, policy, activityWindowMs }: Config,
  config: BoxConfig,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const named = (checks: readonly Check[]) =>
    boxes.length === 1
      ? checks
      : checks.map((check) => ({ ...check, name: `${config.name}: ${check.name}` }));
  try {
    await using box = createRdsBox({ ...config, activityWindowMs, clock });
    return named(boxChecks(await read(box, signal), policy.mode, clock.now()));
  } catch (err) {
    signal.throwIfAborted();
    return named([failed('box reachable', err instanceof Error ? err.message : String(err))]);
  }
}

/** One attempt: the doctor reports what keeps it from succeeding. */
async function read(box: RdsBox, signal: AbortSignal): Promise<BoxFindings> {
  box.start(signal);
  await box.observe({ suspects: [], others: [], volumes: [] }, signal);
  const { lastReading: reading, lastSnapshot: snapshot } = box;
  return { detail: box.health().detail, ...(reading && { reading }), ...(snapshot && { snapshot }) };
}
