import { eventOf, HOSTS, type RecordingName, readRecording } from '@reattach/recordings';
import { expect } from 'vitest';
import { type RowSample, recordedRows, type Step, statesOf, stepsOf } from './queue-steps.ts';

/** How far the simulator's steps may be from the kernel's: samples are 0.25 to 0.5 s apart and arrive up to 0.6 s late. */
export const SAMPLING_MS = 1_000;

/** The keep-alive timer of 5 s fires one to two time-outs after the last command. */
export const TIMER_MS = 5_000;

export type HostName = keyof typeof HOSTS;

/** The rows of a host in a recording, from 3 s before an event. */
export function recorded(
  name: RecordingName,
  host: HostName,
  eventAtMs: number,
  untilMs: number,
): readonly RowSample[] {
  return recordedRows(readRecording(name), HOSTS[host], eventAtMs, [-3_000, untilMs]);
}

/** When the first event of a kind was logged, ms. */
export function timeOf(name: RecordingName, kind: Parameters<typeof eventOf>[1]): number {
  return eventOf(readRecording(name), kind).atMs;
}

/** When a queue's row was first seen in a state; NaN: never. */
export function atOf(steps: readonly Step[] | undefined, state: Step['state']): number {
  return steps?.find((step) => step.state === state)?.atMs ?? Number.NaN;
}

/** Two queues went through the same states, each within `boundMs` of the other, and were closed for as long. */
export function expectAlike(
  simulated: readonly Step[] | undefined,
  kernel: readonly Step[] | undefined,
  boundMs: number,
): void {
  expect(statesOf(simulated)).toEqual(statesOf(kernel));
  for (const { state, atMs } of kernel?.slice(1) ?? []) {
    expect(Math.abs(atOf(simulated, state) - atMs)).toBeLessThanOrEqual(boundMs);
  }
  const kernelClosedMs = closedMs(kernel);
  if (Number.isNaN(kernelClosedMs)) return;
  expect(Math.abs(closedMs(simulated) - kernelClosedMs)).toBeLessThanOrEqual(SAMPLING_MS);
}

/** Both queues of a host are alike. */
export function expectHostAlike(
  simulated: readonly RowSample[],
  kernel: readonly RowSample[],
  boundMs: number,
): void {
  const [simulatedSteps, kernelSteps] = [stepsOf(simulated), stepsOf(kernel)];
  expect(simulatedSteps).toHaveLength(kernelSteps.length);
  for (const [index, steps] of kernelSteps.entries()) expectAlike(simulatedSteps[index], steps, boundMs);
}

function closedMs(steps: readonly Step[] | undefined): number {
  return atOf(steps, 'gone') - atOf(steps, 'CLOSE');
}
