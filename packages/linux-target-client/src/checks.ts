import type { BackendCheck, BackendCheckContext } from '@reattach/core';
import type { TargetContent } from './target-snapshot.ts';

/** Preconditions at the target, one check each, with the fix. */
export function targetChecks(
  { facts, sockets, exports, table, records, skipped }: TargetContent,
  { mayFence }: BackendCheckContext,
): readonly BackendCheck[] {
  const served = new Set(exports?.flatMap(({ ports }) => ports) ?? []);
  return [
    check(
      'sockets',
      sockets !== undefined,
      'the target lists its sockets',
      'the target has no ss',
      'apt-get install iproute2',
    ),
    check(
      'exports',
      served.size > 0,
      `nvmet serves TCP port ${[...served].join(', ')}`,
      'nvmet serves no TCP port',
      'modprobe nvmet-tcp, then configure a port with addr_trtype tcp',
    ),
    fenceTable(table, records.length, served, mayFence),
    persistence(facts.persistence, mayFence),
    ...(skipped.length === 0
      ? []
      : [
          {
            name: 'reply',
            state: 'warning' as const,
            detail: `${skipped.length} lines were not understood: ${skipped[0]}`,
          },
        ]),
  ];
}

/** Without a fence there may be no table yet: the first fence creates it. */
function fenceTable(
  table: TargetContent['table'],
  fences: number,
  served: ReadonlySet<number>,
  mayFence: boolean,
): BackendCheck {
  const name = 'fence table';
  if (!mayFence) return { name, state: 'ok', detail: 'not needed in mode observe' };
  if (fences === 0)
    return { name, state: 'ok', detail: 'no fence is recorded; the first fence creates the table' };
  const missing = [...served].filter((port) => !table.ports.has(port));
  const problem =
    table.problem ??
    (missing.length > 0 ? `export port ${missing.join(', ')} is not in the set ports` : undefined);
  if (problem === undefined)
    return { name, state: 'ok', detail: `${table.addresses.size} addresses are dropped` };
  return {
    name,
    state: 'failed',
    detail: problem,
    fix: 'the controller restores it with its next fence; or run: systemctl start reattach-target',
  };
}

function persistence(how: string, mayFence: boolean): BackendCheck {
  const name = 'fences survive a reboot';
  if (how !== 'none') return { name, state: 'ok', detail: `restored by ${how}` };
  return {
    name,
    state: mayFence ? 'failed' : 'warning',
    detail: 'fences are lost when the target boots',
    fix: 'systemctl enable reattach-target (deploy/linux-target/README.md)',
  };
}

function check(name: string, isOk: boolean, detail: string, problem: string, fix: string): BackendCheck {
  return isOk ? { name, state: 'ok', detail } : { name, state: 'failed', detail: problem, fix };
}
