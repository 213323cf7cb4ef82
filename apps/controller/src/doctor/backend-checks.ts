import type { Mode, StorageReading } from '@reattach/core';
import { type Snapshot, versionWarnings } from '@reattach/rds-client';
import { type Check, failed, ok, warning } from './check.ts';

/** What was found at a backend. */
export interface BackendFindings {
  /** Absent: it could not be read. */
  readonly snapshot?: Snapshot;
  readonly reading?: StorageReading;
  /** Why it could not be read, or its version and dialect. */
  readonly detail: string;
}

const DAY_MS = 86_400_000;

/** What an operator has to set up at the backend, one check each. Pure. @see docs/routeros.md */
export function backendChecks(
  { snapshot, reading, detail }: BackendFindings,
  mode: Mode,
  nowMs: number,
): readonly Check[] {
  if (!snapshot || !reading) {
    return [
      failed(
        'backend reachable',
        detail,
        'Check address, user, key and pinned host key; docs/routeros.md, steps 1 and 2',
      ),
    ];
  }
  return [
    ok('backend reachable', detail),
    version(snapshot),
    tracking(snapshot),
    exports(snapshot),
    sessions(reading),
    dropRule(reading, mode),
    counters(snapshot, mode),
    fences(reading, nowMs),
  ];
}

function version({ version: found }: Snapshot): Check {
  const warnings = versionWarnings(found);
  if (warnings.length === 0) return ok('RouterOS version', found.text);
  return warning(
    'RouterOS version',
    `${found.text}: ${warnings.join('; ')}`,
    '/system/package/update/install',
  );
}

function tracking({ tracking: { on, detail, fix } }: Snapshot): Check {
  if (on) return ok('connection tracking', detail);
  return failed('connection tracking', detail, fix);
}

function exports({ exports: found, version: { text } }: Snapshot): Check {
  if (found.length === 0) return warning('exports', 'The backend exports no volume over NVMe/TCP');
  const ports = [...new Set(found.map(({ port }) => port))].toSorted((a, b) => a - b).join(', ');
  const unnamed = found.filter(({ hasOwnNqn }) => !hasOwnNqn).length;
  const named = unnamed === 0 ? '' : `; ${unnamed} of them have no NQN of their own in RouterOS ${text}`;
  return ok('exports', `${found.length} volumes on port ${ports}${named}`);
}

function sessions({ liveHosts = 0 }: StorageReading): Check {
  if (liveHosts > 1) return ok('live hosts', `${liveHosts} hosts talk to the backend`);
  return warning(
    'live hosts',
    `${liveHosts} hosts talk to the backend: without another one that lives, no host is ever proved silent`,
  );
}

/** Modes without a fence do not need the rule; they are told what is missing all the same. */
function dropRule({ enforcement }: StorageReading, mode: Mode): Check {
  if (enforcement?.kind === 'enforced')
    return ok('drop rule', 'It drops what the list reattach-fenced names');
  const judge = mode === 'fence' ? failed : warning;
  return judge(
    'drop rule',
    `${enforcement?.detail ?? 'It could not be read'}; mode fence needs it`,
    enforcement?.fix,
  );
}

function counters({ writeCounters, exports: found }: Snapshot, mode: Mode): Check {
  const missing = found.filter(({ slot }) => !writeCounters.has(slot)).length;
  if (missing === 0) return ok('write counters', 'The backend counts the writes of every export');
  const judge = mode === 'fence' ? failed : warning;
  return judge(
    'write counters',
    `The backend gives none for ${missing} of ${found.length} exports; mode fence needs them`,
  );
}

function fences({ fences: found = [] }: StorageReading, nowMs: number): Check {
  if (found.length === 0) return ok('fences', 'No node is fenced');
  const list = found
    .map(({ id, nodeName, fencedAtMs }) => `${nodeName} (${id}, ${age(nowMs - fencedAtMs)})`)
    .join(', ');
  const isOld = found.some(({ fencedAtMs }) => nowMs - fencedAtMs > DAY_MS);
  if (!isOld) return ok('fences', list);
  return warning(
    'fences',
    `${list}: older than a day`,
    'Reboot the node, or vouch for it: docs/routeros.md, "What a fence is"',
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
