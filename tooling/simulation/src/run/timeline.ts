import { OPERATIONS } from '../operations/catalogue.ts';
import type { Operation } from '../operations/operation.ts';
import type { World } from '../world/world.ts';
import { describeOperation } from './describe-operation.ts';
import { type RunOptions, type RunResult, runSeed } from './run-seed.ts';

/** Runs a seed and prints, in order of time, what happened: operations, what controllers said and did, and findings. */
export async function printTimeline(
  seed: number,
  options: Pick<RunOptions, 'operations' | 'backend'>,
  print: (line: string) => void,
): Promise<RunResult> {
  let world: World | undefined;
  let startMs = 0;
  const say = (source: string, text: string) =>
    print(
      `${(((world?.clock.now() ?? 0) - startMs) / 1000).toFixed(3).padStart(9)} s  ${source.padEnd(14)} ${text}`,
    );
  const result = await runSeed(seed, {
    ...options,
    onOperation: (operation, isEnd) => say(isEnd ? 'ends' : 'OPERATION', describeOperation(operation)),
    onWorld: (created) => {
      world = created;
      startMs = world.clock.now();
      world.log.onEntry(({ source, level, message, fields }) =>
        say(source, `${level}: ${message} ${fieldText(fields)}`),
      );
      world.api.onServed(({ client, request, answer }) => {
        if (
          request.method !== 'GET' &&
          !request.path.includes('/leases/') &&
          !request.path.endsWith('/leases')
        )
          say(client, `${request.method} ${request.path} -> ${answer.status} ${short(request.body)}`);
      });
      world.storage.onCommand(({ client, command, isEffect }) => {
        if (isEffect) say(client, command.slice(0, 220));
      });
      const verdicts = new Map<string, string>();
      world.onPass((controller, { decisions, cleanups }) => {
        for (const { kind, why, ...cleanup } of cleanups) {
          const about =
            'fence' in cleanup ? `fence ${cleanup.fence.id} of ${cleanup.fence.nodeName}` : cleanup.node.name;
          const text = `${kind} ${about}: ${why}`;
          if (verdicts.get(about) !== text) say(controller, `decides ${text}`);
          verdicts.set(about, text);
        }
        for (const { attachment, verdict } of decisions) {
          const text = `${attachment.persistentVolumeName} at ${attachment.nodeName}: ${verdict.kind} ${'reason' in verdict ? verdict.reason : ''}: ${verdict.why}`;
          const steady = text.replaceAll(/\d+(\.\d+)? (s|ms)\b/g, 'N s');
          if (verdicts.get(attachment.uid) === steady) continue;
          verdicts.set(attachment.uid, steady);
          say(controller, `decides ${text}`);
        }
      });
      world.onMounted((machine, slot) => say(machine.nodeName, `${machine.id} mounted ${slot}`));
      world.api.store.subscribe(({ kind, type, object, previous }) => {
        if (kind === 'VolumeAttachment' && type !== 'MODIFIED')
          say('cluster', `${type} ${kind} ${short(object['spec'])}`);
        if (kind === 'Pod' && type !== 'MODIFIED') say('cluster', `${type} ${kind} ${object.metadata.name}`);
        if (kind === 'Node') {
          const state = (node: typeof object | undefined) =>
            short({
              taints: (node?.['spec'] as { taints?: { key: string }[] })?.taints?.map(({ key }) => key),
              ready: (node?.['status'] as { conditions?: { status: string }[] })?.conditions?.[0]?.status,
            });
          if (type !== 'MODIFIED' || state(object) !== state(previous))
            say('cluster', `${type} Node ${object.metadata.name} ${state(object)}`);
        }
      });
    },
  });
  for (const { kind, atMs, detail } of result.findings)
    print(`${(atMs / 1000).toFixed(3).padStart(9)} s  FINDING        ${kind}: ${detail}`);
  return result;
}

/** @throws {TypeError} naming the kind that does not exist. */
export function checkOperations(operations: readonly Operation[]): void {
  for (const { kind } of operations)
    if (!OPERATIONS.has(kind))
      throw new TypeError(`Expected an operation among ${[...OPERATIONS.keys()].join(', ')}, got ${kind}`);
}

function fieldText(fields: object): string {
  const shown = Object.entries(fields).filter(([key]) => key !== 'reconcileID' && key !== 'evidence');
  return shown
    .map(([key, value]) => `${key}=${value instanceof Error ? value.message : short(value)}`)
    .join(' ');
}

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text === undefined ? '' : text.slice(0, 260);
}
