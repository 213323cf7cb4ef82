import { type HttpRoute, jsonAnswer } from '../http/http-route.ts';
import { printableDeep } from '../telemetry/printable.ts';
import type { AuditLog } from './audit-log.ts';
import { MAX_RECORDS } from './audit-outbox.ts';

/** Records in an answer without `limit`. */
const DEFAULT_LIMIT = 100;

/** Longest wait for the shared history, ms. */
const TIMEOUT_MS = 5_000;

/** `/history`: what was done, oldest first. @param leader name of the replica that leads, for a replica that cannot answer. */
export function auditRoutes(
  log: Pick<AuditLog, 'history'>,
  leader: () => string | undefined = () => undefined,
): readonly HttpRoute[] {
  return [
    {
      method: 'GET',
      path: '/history',
      async answer(query) {
        const limit = Number(query.get('limit') ?? DEFAULT_LIMIT);
        if (!Number.isInteger(limit) || limit < 1 || limit > MAX_RECORDS) {
          return jsonAnswer(400, { error: `Expected limit=1 to limit=${MAX_RECORDS}` });
        }
        try {
          const records = await log.history(limit, AbortSignal.timeout(TIMEOUT_MS));
          return jsonAnswer(200, printableDeep({ records }));
        } catch (err) {
          const why = err instanceof Error ? err.message : String(err);
          const error = `The history could not be read: ${why}. The leader is ${leader() ?? 'not known'}`;
          return jsonAnswer(503, printableDeep({ error }));
        }
      },
    },
  ];
}
