import { defaultOf, safeRangeOf } from './option.ts';
import type { OptionKey } from './option-table.ts';
import type { Values } from './values.ts';

/** Longest write of a leader, ms. @see LeaderElector */
const LONGEST_WRITE_MS = 5_000;

/** Checks every value by itself, also those that a better source overrides, and those that depend on each other. */
export function validate(values: Values): void {
  for (const key of values.table.keys()) validateOption(values, key);
  if (values.get('unsafe.compressedTimes') !== true) {
    for (const key of unsafeKeys(values)) refuseUnsafe(values, key);
  }
  checkOrder(values, 'silentGraceMs', 'gracePeriodMs', 'silence shortens the grace period');
  for (const key of values.table.keys()) {
    if (key.endsWith('.activityWindowMs')) {
      checkOrder(values, 'suspectPollMs', key, 'a suspect is read while it may still be live');
    }
  }
  checkLease(values);
}

/** Every source's value of one option is of its type. */
export function validateOption(values: Values, key: string): void {
  const { type } = values.option(key);
  for (const given of values.given(key)) {
    if (type.parse(given.raw) === undefined) values.refuse(given, type.expected);
  }
}

/** Keys whose values lie outside their safe range. */
export function unsafeKeys(values: Values): readonly string[] {
  return [...values.table.keys()].filter((key) => {
    const { safe } = values.option(key);
    const value = values.find(key);
    if (!safe || typeof value !== 'number') return false;
    return value < safe.atLeast || value > (safe.atMost ?? Number.POSITIVE_INFINITY);
  });
}

/** A value outside its safe range. */
export function refuseUnsafe(values: Values, key: string): void {
  const option = values.option(key);
  const [given] = values.given(key);
  if (given && option.safe) values.refuse(given, `${safeRangeOf(option)}: ${option.safe.because}`);
}

/** The leader's lease, renewal and retry leave room for the last write of an old leader. @see LeaderElector */
function checkLease(values: Values): void {
  const keys = ['leaseDurationMs', 'renewDeadlineMs', 'retryPeriodMs'] as const;
  const [lease, renew, retry] = keys.map((name) => values.get(`leaderElection.${name}`));
  if (lease === undefined || renew === undefined || retry === undefined) return;
  if (lease % 1_000 !== 0 || lease < renew + LONGEST_WRITE_MS) {
    refuseValue(
      values,
      'leaderElection.leaseDurationMs',
      `whole seconds, at least leaderElection.renewDeadlineMs + 5s: a write of the old leader must end before a new one may start`,
    );
  }
  if (retry * 2.2 >= renew) {
    refuseValue(
      values,
      'leaderElection.retryPeriodMs',
      'less than leaderElection.renewDeadlineMs / 2.2: a renewal may fail once',
    );
  }
}

function checkOrder(values: Values, small: OptionKey, large: string, because: string): void {
  const [value, limit] = [values.find(small), values.find(large)];
  if (typeof value !== 'number' || typeof limit !== 'number' || value <= limit) return;
  refuseValue(values, small, `at most ${large} (${values.option(large).type.format(limit)}): ${because}`);
}

/** The value may be a default that does not fit to what was given elsewhere. */
function refuseValue(values: Values, key: OptionKey, expected: string): void {
  const [given] = values.given(key);
  values.refuse(given ?? { key, raw: defaultOf(values.option(key)) ?? '' }, expected);
}
