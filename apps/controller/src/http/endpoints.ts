/** One endpoint, as the README describes it. */
export interface Endpoint {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly answers: string;
}

/** Everything that is served. */
export const ENDPOINTS: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/livez',
    answers:
      '200 while passes end in time; 503 when none has ended for twice `reconcile.intervalMs` (at least two minutes): restart it.',
  },
  {
    method: 'GET',
    path: '/readyz',
    answers:
      '200 when the caches are synced and fresh, the startup pass is done and the backend is connected; else 503. The body lists each check with `ok` and `why`.',
  },
  { method: 'GET', path: '/metrics', answers: 'Prometheus text.' },
  {
    method: 'GET',
    path: '/',
    answers: 'The [status page](#status-page), with its files below `/page/`. Subject to `http.stateAccess`.',
  },
  {
    method: 'GET',
    path: '/state',
    answers:
      'JSON: nodes, backends, attachments with evidence, rule and decision ([its shape](../status-page/src/state-report.ts)). `?attachments=lost` lists only those that are not fine; `all` is the default. `?mode=` decides as in that mode. Subject to `http.stateAccess`.',
  },
  {
    method: 'GET',
    path: '/history',
    answers:
      'JSON: what was done, oldest first ([its shape](../status-page/src/audit-record.ts)). `?limit=` 1 to 1000, default 100. Subject to `http.stateAccess`.',
  },
  {
    method: 'POST',
    path: '/reconcile',
    answers: 'Asks for a pass: 202; 409 from a standby, which runs none. Subject to `http.stateAccess`.',
  },
];

/** Endpoints table of the README, which a test compares. */
export function endpointsTable(): string {
  const rows = ENDPOINTS.map(({ method, path, answers }) => `| ${method} | \`${path}\` | ${answers} |`);
  return ['| Method | Path | Answers |', '|---|---|---|', ...rows].join('\n');
}
