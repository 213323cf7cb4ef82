import type { BackendCheck, BackendCheckContext } from '@reattach/core';
import type { TargetContent } from './target-snapshot.ts';

/** Preconditions at the target, one check each, with the fix. */
export function targetChecks(
  { facts, sockets, exports, table, records, skipped }: TargetContent,
  { mayFence, nowMs }: BackendCheckContext,
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
    writePermission(facts.fencing, mayFence),
    persistence(facts.persistence, mayFence),
    clock(facts.clockMs, nowMs),
    ...(skipped.length === 0
      ? []
      : [
          {
            name: 'reply',
            state: 'warning' as const,
            detail: `${skipped.length} lines were not understood: ${skipped[0]}`,
            fix: 'compare the version of reattach-target on the target with deploy/linux-target, and report the line',
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

/** Requests run as root, so a fence needs nft and a folder that can be written. `doctor --probe` proves it by writing one. */
function writePermission(fencing: string | undefined, mayFence: boolean): BackendCheck {
  const name = 'write permission';
  if (fencing === 'ready')
    return {
      name,
      state: 'ok',
      detail: 'the forced command runs as root, with nft and a folder it can write',
    };
  const state = mayFence ? 'failed' : 'warning';
  if (fencing === undefined)
    return {
      name,
      state,
      detail: 'the forced command on the target is too old to say whether it can fence',
      fix: 'install deploy/linux-target/reattach-target of this version on the target',
    };
  return {
    name,
    state,
    detail: `${fencing}; mode fence needs it`,
    fix: fencing.includes('nft')
      ? 'apt-get install nftables'
      : 'mount the file system of /etc/reattach on the target read-write',
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

/** Nothing is decided by the target's clock, but log lines of both machines are compared by people. */
function clock(clockMs: number, nowMs: number): BackendCheck {
  const name = 'clock';
  const offsetMs = clockMs - nowMs;
  // The target says whole seconds, and the reading took a while.
  if (Math.abs(offsetMs) <= 10_000) return { name, state: 'ok', detail: 'it agrees with the clock here' };
  return {
    name,
    state: 'warning',
    detail: `the clock of the target is ${Math.round(Math.abs(offsetMs) / 1_000)} s ${offsetMs > 0 ? 'ahead' : 'behind'}`,
    fix: 'set up time synchronisation on both machines: timedatectl set-ntp true',
  };
}

function check(name: string, isOk: boolean, detail: string, problem: string, fix: string): BackendCheck {
  return isOk ? { name, state: 'ok', detail } : { name, state: 'failed', detail: problem, fix };
}
