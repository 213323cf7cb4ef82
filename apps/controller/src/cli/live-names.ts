import type { CliIo } from './cli-io.ts';
import type { Call } from './command.ts';
import { knownNames } from './known-names.ts';
import { localServer, namedServer } from './server-client.ts';

/** What completion asks the running controller for: names that `explain` takes, nodes, backends. */
export const LIVE_NAMES = ['names', 'nodes', 'backends'] as const;

/** Empty when no controller answers: completion says nothing rather than an error. */
export async function liveNames(
  kind: (typeof LIVE_NAMES)[number],
  call: Call,
  io: CliIo,
): Promise<readonly string[]> {
  try {
    const server = namedServer(call, io) ?? localServer(call, io);
    const report = await server.state('all');
    if (kind === 'names') return knownNames(report);
    return (kind === 'nodes' ? report.nodes : report.backends).map(({ name }) => name);
  } catch {
    return [];
  }
}
