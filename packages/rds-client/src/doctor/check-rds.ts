import type { BackendCheck, BackendCheckContext, StorageReading } from '@reattach/core';
import type { RdsBackend } from '../rds-backend.ts';
import { versionWarnings } from '../routeros/version.ts';
import type { Snapshot } from '../snapshot.ts';

const DAY_MS = 86_400_000;

/** What an operator must set up at the backend, one check each, from its last reading. @see docs/routeros.md */
export function checkRds(
  backend: Pick<RdsBackend, 'health' | 'lastReading' | 'lastSnapshot'>,
  { mayFence, nowMs }: BackendCheckContext,
): readonly BackendCheck[] {
  const { lastReading: reading, lastSnapshot: snapshot } = backend;
  const { detail } = backend.health();
  if (!snapshot || !reading) return [check('failed', 'backend reachable', detail, fixFor(detail))];
  return [
    check('ok', 'backend reachable', detail),
    version(snapshot),
    tracking(snapshot),
    exports(snapshot),
    sessions(reading),
    dropRule(reading, mayFence),
    counters(snapshot, mayFence),
    fences(reading, nowMs),
  ];
}

/** Each way to fail has its own fix. */
const FIXES: readonly (readonly [RegExp, string])[] = [
  [
    /BAD_HOST_KEY|host key/i,
    'Compare the host key with the one that the backend shows at its console; when the backend was replaced on purpose, pin the new key in rds.hostKey',
  ],
  [
    /AUTH|authentication/i,
    'Check rds.user and rds.privateKeyFile, and that the public key was imported for that user: docs/routeros.md, step 1',
  ],
  [
    /ECONNREFUSED|refused/i,
    'Check the port in rds.address, that /ip/service ssh is enabled, and that its address= admits this host',
  ],
  [/ENOTFOUND|EAI_AGAIN/i, 'Check the host name in rds.address and the DNS of this host'],
  [
    /EHOSTUNREACH|ENETUNREACH|TIMEOUT|timed out/i,
    'Check the address in rds.address, and firewalls and NetworkPolicies between this host and the backend',
  ],
];

function fixFor(detail: string): string {
  const fix = FIXES.find(([pattern]) => pattern.test(detail))?.[1];
  return fix ?? 'Check address, user, key and pinned host key: docs/routeros.md, steps 1 and 2';
}

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
  if (found.length === 0) return check('warning', 'exports', 'The backend exports no volume over NVMe/TCP');
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
    enforcement?.fix,
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
