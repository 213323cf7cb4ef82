import { RecordingTelemetry } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { createSshMetrics } from './instruments.ts';

describe('createSshMetrics', () => {
  it('counts reconnects from 0 for each way to end', () => {
    using telemetry = new RecordingTelemetry();
    createSshMetrics('rds-1');
    for (const status of ['success', 'failure']) {
      const attributes = { 'reattach.storage.backend': 'rds-1', 'reattach.backend.reconnect.status': status };
      expect(telemetry.total('reattach.backend.reconnects', attributes)).toBe(0);
    }
  });

  it('observes the age of the last reading, in seconds, once there is one and until disposed', async () => {
    using telemetry = new RecordingTelemetry();
    let ageMs: number | undefined;
    const observing = createSshMetrics('rds-1').observeReadingAge(() => ageMs);
    expect(await telemetry.collect()).toEqual([]);
    ageMs = 61_500;
    expect(await telemetry.collect()).toEqual([
      {
        instrument: 'reattach.backend.reading.age',
        value: 61.5,
        attributes: { 'reattach.storage.backend': 'rds-1' },
      },
    ]);
    observing[Symbol.dispose]();
    expect(await telemetry.collect()).toEqual([]);
  });
});
