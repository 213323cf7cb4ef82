import type { Replica } from '../controller/replica.ts';
import type { CreateOracle } from './oracle.ts';

/** How long a write may be on its way; what the network delivers later was sent while its sender still led, ms. */
const LONGEST_WRITE_MS = 5_000;

/** What every replica may write: its own Lease, and Events. */
const UNGUARDED = /\/(leases|events)(\/|$)/;

/** One controller at a time: whatever a replica writes, to the cluster or to a backend, it writes as the holder of the Lease. */
export const watchLeadership: CreateOracle = (world, report) => {
  const { api, storage, replicas, clock } = world;
  if (replicas.length < 2) return {};
  const isExcused = ({ resumedAtMs, apiLink, storageLink }: Replica) =>
    clock.now() - resumedAtMs < 4 * LONGEST_WRITE_MS ||
    [apiLink, storageLink].some(({ toServer }) => toServer.delays.maxMs >= LONGEST_WRITE_MS);
  const judge = (client: string, what: string) => {
    const replica = replicas.find(({ name }) => client.startsWith(name));
    const holder = api.store.get('Lease', 'reattach', 'reattach')?.spec?.holderIdentity;
    if (!replica || isExcused(replica) || holder === client) return;
    report(
      'unconfirmed-write',
      `${what} by ${client} while ${holder ?? 'no controller'} holds the leader Lease`,
    );
  };
  api.onServed(({ client, request, answer }) => {
    if (request.method === 'GET' || answer.status >= 300 || UNGUARDED.test(request.path)) return;
    judge(client, `${request.method} ${request.path}`);
  });
  storage.onCommand(({ client, command, isEffect }) => {
    if (isEffect) judge(client, command.slice(0, 80));
  });
  return {};
};
