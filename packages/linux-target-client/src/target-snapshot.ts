import type { FenceRecord } from '@reattach/core';
import { type DeviceCounters, parseDevices } from './reply/devices.ts';
import { parseExports, type TargetExport } from './reply/exports.ts';
import { parseRecords } from './reply/fence-lines.ts';
import { type FenceTable, parseFenceTable } from './reply/fence-table.ts';
import type { Reply, Section } from './reply/reply.ts';
import { parseSockets, type TargetSocket } from './reply/sockets.ts';
import { parseTargetFacts, type TargetFacts } from './reply/target-facts.ts';
import type { Answer } from './target-client.ts';

/** Everything one `read` says. Parts that the target does not have are absent. */
export interface TargetContent {
  readonly facts: TargetFacts;
  readonly ownAddresses: ReadonlySet<string>;
  /** Absent: the target has no `ss`, so its sockets cannot be seen. */
  readonly sockets?: readonly TargetSocket[];
  /** Absent: nvmet is not loaded. */
  readonly exports?: readonly TargetExport[];
  readonly devices: ReadonlyMap<string, DeviceCounters>;
  /** Queues whose connection is gone while commands of them still run. Absent: this kernel does not show them. */
  readonly danglingQueues?: number;
  readonly records: readonly FenceRecord[];
  readonly table: FenceTable;
  /** What was skipped because it was not understood. */
  readonly skipped: readonly string[];
}

/** A content with the times of its request and its reply, epoch ms by our clock. */
export type TargetSnapshot = Answer<TargetContent>;

/** @throws {TypeError} when a part that every target has is missing or malformed */
export function parseContent(reply: Reply): TargetContent {
  const facts = parseTargetFacts(required(reply, 'facts'));
  const sockets = whole(reply, 'sockets');
  const parsedSockets = sockets && parseSockets(sockets);
  const nvmet = whole(reply, 'nvmet');
  const devices = whole(reply, 'devices');
  const { records, skipped } = parseRecords(required(reply, 'fences'));
  return {
    facts,
    ownAddresses: new Set(required(reply, 'addresses').lines),
    sockets: parsedSockets?.sockets,
    exports: nvmet && parseExports(nvmet),
    devices: devices ? parseDevices(devices) : new Map(),
    danglingQueues: whole(reply, 'queues')?.lines.length,
    records,
    table: parseFenceTable(reply.get('table')),
    skipped: [...skipped, ...(parsedSockets?.skipped ?? [])],
  };
}

function required(reply: Reply, name: string): Section {
  const section = whole(reply, name);
  if (!section) throw new TypeError(`expected the section ${name}, got none`);
  return section;
}

/** `undefined`: the target does not have it. @throws {TypeError} when reading it failed */
function whole(reply: Reply, name: string): Section | undefined {
  const section = reply.get(name);
  if (section?.status === 'failed')
    throw new TypeError(`section ${name} failed: ${section.lines.join(' ').slice(0, 120)}`);
  return section?.status === 'ok' ? section : undefined;
}
