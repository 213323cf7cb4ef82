import { type HttpRoute, jsonAnswer } from '../http/http-route.ts';
import { type AuditLog, MAX_RECORDS } from './audit-log.ts';

/** Records answered when nobody says how many. */
const DEFAULT_LIMIT = 100;

/** `/history`: what was done, oldest first. */
export function auditRoutes(log: Pick<AuditLog, 'history'>): readonly HttpRoute[] {
  return [
    {
      method: 'GET',
      path: '/history',
      answer(query) {
        const limit = Number(query.get('limit') ?? DEFAULT_LIMIT);
        if (!Number.isInteger(limit) || limit < 1 || limit > MAX_RECORDS) {
          return jsonAnswer(400, { error: `Expected limit=1 to limit=${MAX_RECORDS}` });
        }
        return jsonAnswer(200, { records: log.history(limit) });
      },
    },
  ];
}
