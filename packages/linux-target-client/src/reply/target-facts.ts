import type { Section } from './reply.ts';

/** What the target says about itself. */
export interface TargetFacts {
  /** Changes with every boot of the target. */
  readonly bootId: string;
  readonly uptimeMs: number;
  /** Clock of the target, epoch ms. */
  readonly clockMs: number;
  readonly kernel: string;
  /** Ports that nvmet serves, that a fence names or that were asked for. */
  readonly ports: readonly number[];
  /** How fences return after a reboot of the target. `none`: they do not. */
  readonly persistence: string;
  /** `ready`, or what a fence lacks: nft, or a folder that can be written. Absent: an older forced command. */
  readonly fencing?: string;
}

/** @throws {TypeError} naming the fact that is missing or malformed */
export function parseTargetFacts({ lines }: Section): TargetFacts {
  const facts = new Map(
    lines.map((line) => [line.slice(0, line.indexOf('\t')), line.slice(line.indexOf('\t') + 1)]),
  );
  const text = (name: string) => {
    const value = facts.get(name);
    if (value === undefined || value === '') throw new TypeError(`expected the fact ${name}, got none`);
    return value;
  };
  const number = (name: string) => {
    const value = Number(text(name));
    if (!Number.isFinite(value))
      throw new TypeError(`fact ${name}: expected a number, got "${text(name).slice(0, 24)}"`);
    return value;
  };
  return {
    bootId: text('bootId'),
    uptimeMs: Math.round(number('uptimeSeconds') * 1_000),
    clockMs: number('clockSeconds') * 1_000,
    kernel: text('kernel'),
    ports: (facts.get('ports') ?? '').split(' ').filter(Boolean).map(Number),
    persistence: text('persistence'),
    fencing: facts.get('fencing'),
  };
}
