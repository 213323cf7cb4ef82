import type { Cluster, User } from '@kubernetes/client-node';
import { asObject, type JsonObject } from './json-reader.ts';
import {
  badField,
  besideFile,
  type EntryKind,
  fieldBoolean,
  fieldPath,
  fieldPem,
  fieldText,
  type KubeconfigEntry,
  readKubeconfigFile,
} from './kubeconfig-file.ts';
import { badConfig } from './translate-error.ts';

/** The cluster and user of one context. */
export interface ResolvedKubeconfig {
  readonly cluster: Cluster;
  readonly user: User;
}

/** Fields of a user that are not supported; requests without them would be sent with another identity. */
const UNSUPPORTED_USER_FIELDS = ['as-groups', 'as-uid', 'as-user-extra'];

/**
 * Merges kubeconfig files as kubectl does: of entries with one name, and of current contexts, the first counts; files that
 * do not exist are skipped when there are several. @throws {KubeApiError} `BAD_CONFIG` that names file, context and field
 */
export function resolveKubeconfig(
  paths: readonly string[],
  wantedContext: string | undefined,
): ResolvedKubeconfig {
  const list = paths.join(', ');
  const files = paths.map(readKubeconfigFile).filter((file) => file !== undefined);
  if (files.length === 0) throw badConfig(`kubeconfig ${list} does not exist`);
  const contextName =
    wantedContext ?? files.find((file) => file.currentContext !== undefined)?.currentContext;
  if (contextName === undefined)
    throw badConfig(`kubeconfig ${list} has no current-context, and no context was named`);
  const entries = files.flatMap((file) => file.entries);
  const find = (kind: EntryKind, name: string) =>
    entries.find((entry) => entry.kind === kind && entry.name === name);
  const context = find('context', contextName);
  if (!context) throw badConfig(`kubeconfig ${list} has no context "${contextName}"; ${known(entries)}`);
  const clusterName = fieldText(context, 'cluster');
  const cluster = clusterName === undefined ? undefined : find('cluster', clusterName);
  if (!cluster) throw badField(context, 'cluster', `"${clusterName ?? ''}" is not among the clusters`);
  const userName = fieldText(context, 'user');
  const user = userName === undefined ? undefined : find('user', userName);
  if (userName !== undefined && !user)
    throw badField(context, 'user', `"${userName}" is not among the users`);
  return {
    cluster: toCluster({ ...cluster, context: contextName }),
    user: user ? toUser({ ...user, context: contextName }) : { name: 'anonymous' },
  };
}

function known(entries: readonly KubeconfigEntry[]): string {
  const names = entries.filter(({ kind }) => kind === 'context').map(({ name }) => `"${name}"`);
  return names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
}

function toCluster(entry: KubeconfigEntry): Cluster {
  const server = fieldText(entry, 'server');
  if (server === undefined) throw badField(entry, 'server', 'is missing');
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol))
    throw badField(entry, 'server', `is not an http or https URL: "${server}"`);
  if (fieldText(entry, 'proxy-url') !== undefined) throw badField(entry, 'proxy-url', 'is not supported');
  const caData = fieldPem(entry, 'certificate-authority-data');
  const caFile = caData === undefined ? fieldPath(entry, 'certificate-authority') : undefined;
  const tlsServerName = fieldText(entry, 'tls-server-name');
  return {
    name: entry.name,
    server: server.replace(/\/$/, ''),
    // The library refuses plain http unless TLS checks are skipped.
    skipTLSVerify: fieldBoolean(entry, 'insecure-skip-tls-verify') || server.startsWith('http:'),
    ...(caData !== undefined && { caData }),
    ...(caFile !== undefined && { caFile }),
    ...(tlsServerName !== undefined && { tlsServerName }),
  };
}

function toUser(entry: KubeconfigEntry): User {
  for (const field of UNSUPPORTED_USER_FIELDS) {
    if (entry.fields[field] !== undefined) throw badField(entry, field, 'is not supported');
  }
  const user: Record<string, unknown> = { name: entry.name };
  const certificate = { certData: 'client-certificate-data', certFile: 'client-certificate' };
  const key = { keyData: 'client-key-data', keyFile: 'client-key' };
  Object.assign(user, pemOrFile(entry, certificate), pemOrFile(entry, key));
  if (('certData' in user || 'certFile' in user) !== ('keyData' in user || 'keyFile' in user))
    throw badField(entry, 'client-certificate and client-key', 'must be given together');
  const texts = { token: 'token', username: 'username', password: 'password', impersonateUser: 'as' };
  for (const [property, field] of Object.entries(texts)) {
    const value = fieldText(entry, field);
    if (value !== undefined) user[property] = value;
  }
  const tokenFile = fieldPath(entry, 'tokenFile');
  if (tokenFile !== undefined) {
    delete user['token']; // as for kubectl, the file counts
    user['authProvider'] = { name: 'tokenFile', config: { tokenFile } };
  } else if (entry.fields['auth-provider'] !== undefined) {
    user['authProvider'] = mapping(entry, 'auth-provider');
  }
  if (entry.fields['exec'] !== undefined) user['exec'] = toExec(entry);
  return user as unknown as User;
}

function pemOrFile(entry: KubeconfigEntry, fields: Readonly<Record<string, string>>): JsonObject {
  for (const [property, field] of Object.entries(fields)) {
    const value = property.endsWith('Data') ? fieldPem(entry, field) : fieldPath(entry, field);
    if (value !== undefined) return { [property]: value };
  }
  return {};
}

/** A command with a slash in it is a path beside the file; another one is looked up in PATH. */
function toExec(entry: KubeconfigEntry): JsonObject {
  const exec = mapping(entry, 'exec');
  const command = exec['command'];
  if (typeof command !== 'string' || command === '')
    throw badField(entry, 'exec.command', 'is missing or not a text');
  return { ...exec, command: command.includes('/') ? besideFile(entry, command) : command };
}

function mapping(entry: KubeconfigEntry, field: string): JsonObject {
  const value = asObject(entry.fields[field]);
  if (!value) throw badField(entry, field, 'is not a mapping');
  return value;
}
