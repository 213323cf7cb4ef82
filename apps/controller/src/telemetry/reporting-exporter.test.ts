import { RecordingLogger } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { reporting } from './reporting-exporter.ts';

describe('reporting', () => {
  it('logs the first failure of a row and the success after it, and passes every result on', () => {
    const logger = new RecordingLogger();
    const results = [0, 1, 1, 0, 0];
    const exporter = {
      export: (_items: string, done: (result: { code: number; error?: Error }) => void) => {
        const code = results.shift() ?? 0;
        done(code === 0 ? { code } : { code, error: new Error('connect ECONNREFUSED') });
      },
    };
    const codes: number[] = [];
    const watched = reporting(exporter, 'traces', logger);
    for (let time = 0; time < 5; time++) watched.export('spans', ({ code }) => codes.push(code));
    expect(codes).toEqual([0, 1, 1, 0, 0]);
    expect(logger.lines).toEqual([
      {
        level: 'warn',
        message: 'Telemetry was not exported',
        fields: { signal: 'traces', why: 'connect ECONNREFUSED' },
      },
      { level: 'info', message: 'Telemetry was exported again', fields: { signal: 'traces' } },
    ]);
  });
});
