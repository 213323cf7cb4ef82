import { printable } from '../telemetry/printable.ts';

/** One condition of being live or ready, and why it holds or does not. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly why: string;
}

/** What `/livez` and `/readyz` answer. */
export interface HealthReport {
  /** Every check holds. */
  readonly ok: boolean;
  readonly checks: readonly HealthCheck[];
}

/** Sums checks up. What a backend says in them is made printable. */
export function healthReport(checks: readonly HealthCheck[]): HealthReport {
  const shown = checks.map(({ name, ok, why }) => ({ name: printable(name), ok, why: printable(why) }));
  return { ok: checks.every((check) => check.ok), checks: shown };
}
