import { describe, expect, it } from 'vitest';
import { NodeAbsence } from './node-absence.ts';

describe('NodeAbsence', () => {
  it('counts from the first time a Node was seen missing', () => {
    const absence = new NodeAbsence();
    expect(absence.record('node-a', 1_000)).toBe(1_000);
    expect(absence.record('node-a', 5_000)).toBe(1_000);
    expect(absence.record('node-b', 6_000)).toBe(6_000);
  });

  it('starts anew after the Node was there', () => {
    const absence = new NodeAbsence();
    absence.record('node-a', 1_000);
    absence.record('node-b', 1_000);
    absence.forget('node-a');
    expect(absence.record('node-a', 5_000)).toBe(5_000);
    expect(absence.record('node-b', 5_000)).toBe(1_000);
  });

  it('keeps the times of retained names alone', () => {
    const absence = new NodeAbsence();
    absence.record('node-a', 1_000);
    absence.record('node-b', 1_000);
    absence.retainOnly(new Set(['node-a', 'node-c']));
    expect(absence.record('node-a', 5_000)).toBe(1_000);
    expect(absence.record('node-b', 5_000)).toBe(5_000);
    expect(absence.record('node-c', 5_000)).toBe(5_000);
  });

  it('forgets an unknown name without ado', () => {
    const absence = new NodeAbsence();
    expect(() => absence.forget('node-a')).not.toThrow();
  });
});
