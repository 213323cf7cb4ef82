import type { Finding, FindingKind } from './oracles/oracle.ts';

/** The last line of the command. */
export interface Summary {
  readonly kind: 'summary';
  readonly runs: number;
  readonly doubleWrites: number;
  readonly overwrites: number;
  readonly wronglyFenced: number;
  readonly stuck: number;
  readonly runsPerCpuSecond: number;
}

/** Counts runs by what they showed. */
export class Tally {
  runs = 0;
  readonly #counts = new Map<FindingKind, number>();

  add(findings: readonly Finding[]): void {
    this.runs += 1;
    for (const { kind } of findings) this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  summary(cpuSeconds: number): Summary {
    const count = (kind: FindingKind) => this.#counts.get(kind) ?? 0;
    return {
      kind: 'summary',
      runs: this.runs,
      doubleWrites: count('double-write'),
      overwrites: count('overwrite'),
      wronglyFenced: count('wrongly-fenced'),
      stuck: count('stuck'),
      runsPerCpuSecond: Math.round((this.runs / Math.max(cpuSeconds, 0.001)) * 10) / 10,
    };
  }
}
