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

/** Sums checks up. */
export function healthReport(checks: readonly HealthCheck[]): HealthReport {
  return { ok: checks.every((check) => check.ok), checks };
}
