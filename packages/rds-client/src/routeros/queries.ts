import type { Dialect } from '../snapshot.ts';
import type { Expectation } from './reply.ts';
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
  /** Name under which the second dialect adds all properties of a record as one text. */
  readonly whole?: string;
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

const RAW: Query = {
  label: 'raw',
  menu: '/ip/firewall/raw',
  where: 'chain=prerouting',
  fields: ['action', 'disabled', 'invalid', 'protocol', 'dst-port', 'src-address-list'],
  whole: 'properties',
};

const ADDRESSES: Query = {
  label: 'addresses',
  menu: '/ip/address',
  where: 'disabled=no',
  fields: ['address'],
};

const IP_SETTINGS: Query = { label: 'settings', menu: '/ip/settings', fields: ['ipv4-fasttrack-active'] };

const BRIDGE_SETTINGS: Query = {
  label: 'bridge',
  menu: '/interface/bridge/settings',
  fields: ['use-ip-firewall', 'bridge-fast-path-active'],
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
function sessionsQuery(port: number, label: 'sessions' | 'controls' = 'sessions'): Query {
  const value = portValue(port);
  return {
    label,
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

/** Everything about the backend but sessions, of which it counts those of `ports`: what is exported, fenced and dropped. */
export function backendStatements(
  dialect: Dialect,
  ownNqn: boolean,
  ports: readonly number[] = [],
): readonly Statement[] {
  const queries = [RESOURCE, exportsQuery(ownNqn), FENCES, RAW];
  return [...queries.map((query) => statement(query, dialect)), ...ports.map(countStatement)];
}

/** How many entries of connection tracking a later statement about this port would print. */
function countStatement(port: number): Statement {
  const { menu, where } = sessionsQuery(port);
  const fields = ['entries'];
  return {
    text: `:put ("count|" . [:len [${menu} find where ${where}]])`,
    expect: { label: 'count', fields },
  };
}

/** Who talks to these ports, and whether tracking would know. */
export function sessionStatements(
  dialect: Dialect,
  ports: readonly number[],
  sshPort: number,
): readonly Statement[] {
  const controls = ports.length === 0 ? [] : [sessionsQuery(sshPort, 'controls')];
  const queries = [...ports.map((port) => sessionsQuery(port)), ...controls];
  return [TRACKING, ...queries].map((query) => statement(query, dialect));
}

const USERS: Query = { label: 'users', menu: '/user', where: 'disabled=no', fields: ['name', 'group'] };

const GROUPS: Query = {
  label: 'groups',
  menu: '/user/group',
  where: 'policy!=""',
  fields: ['name', 'policy'],
};

const NETWORK_QUERIES = {
  addresses: ADDRESSES,
  settings: IP_SETTINGS,
  bridge: BRIDGE_SETTINGS,
  users: USERS,
  groups: GROUPS,
};

/** Menus that a backend may refuse: its own addresses, settings by which packets pass unseen, users and their policies. */
export const NETWORK_MENUS = ['addresses', 'settings', 'bridge', 'users', 'groups'] as const;

/** @see NETWORK_MENUS */
export type NetworkMenu = (typeof NETWORK_MENUS)[number];

export function networkStatement(menu: NetworkMenu, dialect: Dialect): Statement {
  return statement(NETWORK_QUERIES[menu], dialect);
}

/** The fence list and the rules that may drop what it names, for read-backs. */
export function fenceStatements(dialect: Dialect): readonly Statement[] {
  return [statement(FENCES, dialect), statement(RAW, dialect)];
}

/** Finds every drop rule for the fence list, whatever its state. */
export const FIND_DROP_RULE: string = `[find where chain=prerouting and action=drop and src-address-list=${FENCE_LIST}]`;

/** Of the drop rules that we put back; the operator's own has another one. */
const RESTORED = 'reattach-restored';

/** `4420,4421`; NVMe/TCP's own port when nothing is exported. */
export function portList(ports: readonly number[]): string {
  return ports.length === 0 ? '4420' : [...new Set(ports)].toSorted((a, b) => a - b).join(',');
}

/** The words of a drop rule for the fence list, at the top of the table. `place-before=0` fails on an empty table in some versions. */
export function addDropRule(ports: readonly number[], comment: string, isTableEmpty: boolean): string {
  const match = `protocol=tcp dst-port=${portList(ports)} src-address-list=${FENCE_LIST}`;
  const place = isTableEmpty ? '' : ' place-before=0';
  return `/ip/firewall/raw/add chain=prerouting action=drop ${match} comment="${comment}"${place}`;
}

export function enableDropRuleStatement(): Statement {
  return { text: `/ip/firewall/raw/enable ${FIND_DROP_RULE}` };
}

/** Removes the rules that {@link restoreDropRuleStatement} added before, so that they do not pile up. */
export function removeRestoredRulesStatement(): Statement {
  return { text: `/ip/firewall/raw/remove [find where comment=${RESTORED}]` };
}

export function restoreDropRuleStatement(ports: readonly number[], isTableEmpty: boolean): Statement {
  return { text: addDropRule(ports.map(portValue).map(Number), RESTORED, isTableEmpty) };
}

/** @throws {BackendError} INVALID_VALUE */
export function addFenceStatement(address: string, comment: string): Statement {
  const values = `list=${FENCE_LIST} address=${addressValue(address)} comment=${commentValue(comment)}`;
  return { text: `/ip/firewall/address-list/add ${values}` };
}

/** Gives an entry to another fence, and makes it permanent and enabled, without a moment in which it does not cut. */
export function restampFenceStatement(address: string, before: string, comment: string): Statement {
  const where = `list=${FENCE_LIST} and address=${addressValue(address)} and comment=${commentValue(before)}`;
  return {
    text: `/ip/firewall/address-list/set [find where ${where}] disabled=no comment=${commentValue(comment)}`,
  };
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

function records({ label, menu, where, fields, whole }: Query): Statement {
  const item = where === undefined ? '' : '$i ';
  const values = [
    ...fields.map((field) => `[${menu} get ${item}${field}]`),
    ...(whole === undefined ? [] : [`[:tostr [${menu} get $i]]`]),
  ];
  const put = `:put ("${label}|" . ${values.join(' . "|" . ')})`;
  const expect = { label, fields: whole === undefined ? fields : [...fields, whole] };
  if (where === undefined) return { text: put, expect };
  return { text: `:foreach i in=[${menu} find where ${where}] do={${put}}`, expect };
}
