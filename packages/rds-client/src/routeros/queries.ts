import type { Dialect } from '../snapshot.ts';
import type { Expectation } from './reply.ts';
import { RAW_MATCHERS } from './rows.ts';
import { addressValue, commentValue, portValue } from './values.ts';

/** The address list that the operator's drop rule uses. */
export const FENCE_LIST = 'reattach-fenced';

/** One statement of a command line, and what it prints. */
export interface Statement {
  readonly text: string;
  readonly expect?: Expectation;
}

/** What a reading asks of a menu, in both dialects. */
interface Query {
  readonly label: string;
  readonly menu: string;
  /** Of a list of records; absent: the menu is one record. */
  readonly where?: string;
  /** Additional words of `print`. */
  readonly print?: string;
  /** Properties the second dialect reads one by one. */
  readonly fields: readonly string[];
}

const RESOURCE: Query = { label: 'resource', menu: '/system/resource', fields: ['version', 'uptime'] };

const TRACKING: Query = {
  label: 'tracking',
  menu: '/ip/firewall/connection/tracking',
  fields: ['enabled', 'tcp-established-timeout'],
};

const FENCES: Query = {
  label: 'fences',
  menu: '/ip/firewall/address-list',
  where: `list=${FENCE_LIST}`,
  fields: ['address', 'comment', 'disabled', 'dynamic'],
};

/**
 * The conditions the second dialect asks for, one by one: those every version knows, since one that it does not would
 * make the backend refuse the line. The first dialect sees all of them.
 */
const RECORD_MATCHERS = RAW_MATCHERS.slice(0, 9);

const RAW: Query = {
  label: 'raw',
  menu: '/ip/firewall/raw',
  where: 'chain=prerouting',
  fields: ['action', 'disabled', 'invalid', ...RECORD_MATCHERS],
};

const EXPORTED = 'nvme-tcp-export=yes';

function exportsQuery(ownNqn: boolean): Query {
  return {
    label: 'exports',
    menu: '/disk',
    where: EXPORTED,
    fields: ['slot', ...(ownNqn ? ['nvme-tcp-server-nqn'] : []), 'nvme-tcp-server-port', 'size'],
  };
}

const STATS: Query = {
  label: 'stats',
  menu: '/disk',
  where: EXPORTED,
  print: 'stats-detail',
  fields: ['slot', 'write-ops', 'write-bytes', 'in-flight-ops'],
};

/** Either way round: an entry that was picked up in mid-stream may begin with a packet of the backend. */
function sessionsQuery(port: number): Query {
  const value = portValue(port);
  return {
    label: 'sessions',
    menu: '/ip/firewall/connection',
    where: `protocol=tcp and (dst-port=${value} or src-port=${value})`,
    fields: [
      'src-address',
      'src-port',
      'dst-address',
      'dst-port',
      'tcp-state',
      'timeout',
      'orig-packets',
      'repl-packets',
    ],
  };
}

/** Asks for the version in words every RouterOS 7 knows. */
export function versionStatement(): Statement {
  return statement(RESOURCE, 'records');
}

/** Succeeds only where `:serialize` does. */
export function serializeStatement(): Statement {
  return statement(RESOURCE, 'serialize');
}

export function statsStatement(dialect: Dialect): Statement {
  return statement(STATS, dialect);
}

/** Everything about the backend but sessions: what is exported, fenced and dropped. */
export function backendStatements(dialect: Dialect, ownNqn: boolean): readonly Statement[] {
  return [RESOURCE, exportsQuery(ownNqn), FENCES, RAW].map((query) => statement(query, dialect));
}

/** Who talks to these ports, and whether tracking would know. */
export function sessionStatements(dialect: Dialect, ports: readonly number[]): readonly Statement[] {
  return [TRACKING, ...ports.map(sessionsQuery)].map((query) => statement(query, dialect));
}

/** The fence list alone, for read-backs. */
export function fenceStatements(dialect: Dialect): readonly Statement[] {
  return [statement(FENCES, dialect)];
}

/** @throws {BackendError} INVALID_VALUE */
export function addFenceStatement(address: string, comment: string): Statement {
  const values = `list=${FENCE_LIST} address=${addressValue(address)} comment=${commentValue(comment)}`;
  return { text: `/ip/firewall/address-list/add ${values}` };
}

/** Removes the entry with exactly this address and comment, if there is one. @throws {BackendError} INVALID_VALUE */
export function removeFenceStatement(address: string, comment: string): Statement {
  const where = `list=${FENCE_LIST} and address=${addressValue(address)} and comment=${commentValue(comment)}`;
  return { text: `/ip/firewall/address-list/remove [find where ${where}]` };
}

function statement(query: Query, dialect: Dialect): Statement {
  return dialect === 'serialize' ? serialized(query) : records(query);
}

function serialized({ label, menu, where, print = 'detail' }: Query): Statement {
  const value = where === undefined ? `${menu} get` : `${menu} print ${print} as-value where ${where}`;
  const text = `:put ("${label}=" . [:serialize to=json options=json.no-string-conversion value=[${value}]])`;
  return { text, expect: { label } };
}

function records({ label, menu, where, fields }: Query): Statement {
  const item = where === undefined ? '' : '$i ';
  const put = `:put ("${label}|" . ${fields.map((field) => `[${menu} get ${item}${field}]`).join(' . "|" . ')})`;
  const text = where === undefined ? put : `:foreach i in=[${menu} find where ${where}] do={${put}}`;
  return { text, expect: { label, fields } };
}
