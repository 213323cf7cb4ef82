import type { BackendCheck, BackendCheckContext, BackendSettings, StorageReading } from '@reattach/core';
import { connectionFix } from '@reattach/ssh-transport';
import type { RdsBackend } from '../rds-backend.ts';
import { versionWarnings } from '../routeros/version.ts';
import type { Snapshot } from '../snapshot.ts';

const DAY_MS = 86_400_000;

/** What an operator must set up at the backend, one check each, from its last reading. @see docs/routeros.md */
export function checkRds(
  backend: Pick<RdsBackend, 'health' | 'lastReading' | 'lastSnapshot'>,
  { mayFence, nowMs, settings }: BackendCheckContext,
): readonly BackendCheck[] {
  const { lastReading: reading, lastSnapshot: snapshot } = backend;
  const { detail } = backend.health();
  if (!snapshot || !reading) return [check('failed', 'backend reachable', detail, fixFor(detail))];
  return [
    check('ok', 'backend reachable', detail),
    version(snapshot),
    tracking(snapshot),
    visibility(snapshot, mayFence),
    exports(snapshot),
    sessions(reading),
    dropRule(reading, mayFence),
    writePermission(snapshot, settings, mayFence),
    counters(snapshot, mayFence),
    fences(reading, nowMs),
  ];
}

function fixFor(detail: string): string {
  return connectionFix('rds', detail) ?? UNREADABLE_FIX;
}

const UNREADABLE_FIX =
  'Check that the address is that of a RouterOS 7.16 or newer and that the group of the user has ssh,read,test: docs/routeros.md, steps 1 and 2';

function check(state: BackendCheck['state'], name: string, detail: string, fix?: string): BackendCheck {
  return { name, state, detail, fix };
}

function version({ version: found }: Snapshot): BackendCheck {
  const warnings = versionWarnings(found);
  if (warnings.length === 0) return check('ok', 'RouterOS version', found.text);
  return check(
    'warning',
    'RouterOS version',
    `${found.text}: ${warnings.join('; ')}`,
    '/system/package/update/install',
  );
}

function tracking({ tracking: { on, detail, fix } }: Snapshot): BackendCheck {
  if (on) return check('ok', 'connection tracking', detail);
  return check('failed', 'connection tracking', detail, fix);
}

function exports({ exports: found, version: { text } }: Snapshot): BackendCheck {
  if (found.length === 0)
    return check(
      'warning',
      'exports',
      'The backend exports no volume over NVMe/TCP',
      'Check that rds.address is the backend of the CSI driver; a volume is exported once the driver has created it',
    );
  const ports = [...new Set(found.map(({ port }) => port))].toSorted((a, b) => a - b).join(', ');
  const unnamed = found.filter(({ hasOwnNqn }) => !hasOwnNqn).length;
  const named = unnamed === 0 ? '' : `; ${unnamed} of them have no NQN of their own in RouterOS ${text}`;
  return check('ok', 'exports', `${found.length} volumes on port ${ports}${named}`);
}

function sessions({ liveHosts = 0 }: StorageReading): BackendCheck {
  if (liveHosts > 1) return check('ok', 'live hosts', `${liveHosts} hosts talk to the backend`);
  return check(
    'warning',
    'live hosts',
    `${liveHosts} hosts talk to the backend: with only one live host, no other host can be proved silent`,
    'Run a pod with a volume of the backend on a second node',
  );
}

/** Mode observe works without the rule; the check says all the same what is missing. */
function dropRule({ enforcement }: StorageReading, mayFence: boolean): BackendCheck {
  if (enforcement?.kind === 'enforced')
    return check('ok', 'drop rule', 'It drops what the list reattach-fenced names');
  const state = mayFence ? 'failed' : 'warning';
  return check(
    state,
    'drop rule',
    `${enforcement?.detail ?? 'It could not be read'}; mode fence needs it`,
    enforcement?.fix ?? 'Add the rule of docs/routeros.md, step 4',
  );
}

/** Packets that pass the firewall unseen make sessions invisible and a fence void. */
function visibility({ bypass, sessions: found }: Snapshot, mayFence: boolean): BackendCheck {
  const name = 'packets seen';
  const state = mayFence ? 'failed' : 'warning';
  if (bypass) return check(state, name, bypass.detail, bypass.fix);
  const offloaded = [...new Set(found.flatMap(({ isOffloaded, address }) => (isOffloaded ? [address] : [])))];
  if (offloaded.length === 0) return check('ok', name, 'Nothing carries packets past the firewall');
  return check(
    state,
    name,
    `Hardware or FastTrack carries the packets of ${offloaded.join(', ')}, so firewall and counters do not see them`,
    '/ip/firewall/filter/disable [find where action=fasttrack-connection]; /interface/bridge/port/set [find] hw=no',
  );
}

/** Whether the user may write a fence, as its group says. `doctor --probe` proves it by writing one. */
function writePermission(
  { groupPolicies }: Snapshot,
  settings: BackendSettings,
  mayFence: boolean,
): BackendCheck {
  const name = 'write permission';
  const user = settings['user'] as string;
  const state = mayFence ? 'failed' : 'warning';
  const found = groupPolicies?.get(user);
  if (found === undefined)
    return check(
      state,
      name,
      `The policies of user ${user} could not be read`,
      'reattach doctor --mode fence --probe adds and removes an entry that cuts nothing',
    );
  if (found.policies.includes('write'))
    return check('ok', name, `Group ${found.group} of user ${user} has the policy write`);
  return check(
    state,
    name,
    `Group ${found.group} of user ${user} lacks the policy write; mode fence needs it`,
    `/user/group/add name=reattach policy=ssh,read,write,test; /user/set ${user} group=reattach`,
  );
}

function counters({ writeCounters, exports: found }: Snapshot, mayFence: boolean): BackendCheck {
  const missing = found.filter(({ slot }) => !writeCounters.has(slot)).length;
  if (missing === 0) return check('ok', 'write counters', 'The backend counts the writes of every export');
  const state = mayFence ? 'failed' : 'warning';
  return check(
    state,
    'write counters',
    `The backend gives none for ${missing} of ${found.length} exports; mode fence needs them`,
    'Compare /disk/print stats-detail where nvme-tcp-export=yes with docs/routeros.md, and send us its output: reattach doctor --print-probes',
  );
}

function fences({ fences: found = [] }: StorageReading, nowMs: number): BackendCheck {
  if (found.length === 0) return check('ok', 'fences', 'No node is fenced');
  const list = found
    .map(({ id, nodeName, fencedAtMs }) => `${nodeName} (${id}, ${age(nowMs - fencedAtMs)})`)
    .join(', ');
  const isOld = found.some(({ fencedAtMs }) => nowMs - fencedAtMs > DAY_MS);
  if (!isOld) return check('ok', 'fences', list);
  return check(
    'warning',
    'fences',
    `${list}: older than a day`,
    'Reboot the node, or confirm by hand that it is clean: docs/routeros.md, "What a fence is"',
  );
}

function age(ms: number): string {
  const hours = ms / 3_600_000;
  return hours < 1
    ? `${Math.round(ms / 60_000)} min`
    : hours < 48
      ? `${Math.round(hours)} h`
      : `${Math.round(hours / 24)} d`;
}
