import type { Logger } from '@reattach/core';
import { BackendError, type SshSession } from '@reattach/ssh-transport';
import { type RouterOsClient, valueOf } from './router-os-client.ts';
import {
  NETWORK_MENUS,
  type NetworkMenu,
  networkStatement,
  serializeStatement,
  statsStatement,
  versionStatement,
} from './routeros/queries.ts';
import type { Reply } from './routeros/reply.ts';
import { parseResource } from './routeros/rows.ts';
import {
  hasServerNqn,
  isSupported,
  parseVersion,
  type RouterOsVersion,
  versionWarnings,
} from './routeros/version.ts';
import type { Dialect } from './snapshot.ts';

/** What the backend at the other end of one connection can do. */
export interface Capabilities {
  readonly version: RouterOsVersion;
  readonly dialect: Dialect;
  readonly ownNqn: boolean;
  /** It shows write counters in the form we know. */
  readonly writeCounters: boolean;
  /** Menus about its network that it answers. */
  readonly networkMenus: readonly NetworkMenu[];
}

/**
 * Asks a backend what it can do: short commands, once per connection, since a syntax error in one statement would make
 * the backend reject the whole line of a reading.
 * @throws {BackendError} UNSUPPORTED_VERSION below RouterOS 7.16; whatever the commands fail with
 */
export async function probeCapabilities(
  client: RouterOsClient,
  session: SshSession,
  signal: AbortSignal,
): Promise<Capabilities> {
  const { value: version } = await client.run(session, 'version', [versionStatement()], signal, readVersion);
  const dialect: Dialect = (await answers(
    client.run(session, 'probe serialize', [serializeStatement()], signal, () => undefined),
  ))
    ? 'serialize'
    : 'records';
  const writeCounters = await answers(
    client.run(session, 'probe stats', [statsStatement(dialect)], signal, () => undefined),
  );
  const networkMenus: NetworkMenu[] = [];
  for (const menu of NETWORK_MENUS) {
    const statements = [networkStatement(menu, dialect)];
    const isRequired = !ADVISORY_MENUS.has(menu);
    if (
      await answers(
        client.run(session, 'probe network', statements, signal, () => undefined),
        isRequired,
      )
    )
      networkMenus.push(menu);
  }
  return { version, dialect, ownNqn: hasServerNqn(version), writeCounters, networkMenus };
}

function readVersion(reply: Reply): RouterOsVersion {
  const { version: text } = valueOf(parseResource(reply.get('resource') ?? []));
  const version = parseVersion(text);
  if (version && isSupported(version)) return version;
  const detail = `RouterOS ${JSON.stringify(text)} is older than 7.16`;
  throw new BackendError('UNSUPPORTED_VERSION', 'not-applied', detail);
}

/** Menus that only `doctor` uses: a reply of them that is not understood counts as none. */
const ADVISORY_MENUS: ReadonlySet<NetworkMenu> = new Set(['users', 'groups']);

async function answers(run: Promise<unknown>, isRequired = true): Promise<boolean> {
  try {
    await run;
    return true;
  } catch (err) {
    if (err instanceof BackendError && err.code === 'REFUSED') return false;
    if (err instanceof BackendError && err.code === 'MALFORMED' && !isRequired) return false;
    throw err;
  }
}

/** Says what was found, and what an operator should know about it. */
export function logCapabilities(backend: string, capabilities: Capabilities, logger: Logger): void {
  const { version, dialect, writeCounters } = capabilities;
  logger.info('Probed storage backend', { backend, version: version.text, dialect, writeCounters });
  const warnings = versionWarnings(version);
  if (warnings.length > 0) {
    logger.warn('RouterOS version has known limits', { backend, version: version.text, warnings });
  }
}
