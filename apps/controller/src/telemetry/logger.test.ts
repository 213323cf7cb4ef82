import { trace } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.ts';
import { startTelemetry } from './start-telemetry.ts';

function recordingLogger(format: 'json' | 'pretty' = 'json') {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { lines, logger: createLogger({ level: 'info', format, destination }) };
}

describe('createLogger', () => {
  it('writes one JSON object per line with level, time, message and fields', () => {
    const { lines, logger } = recordingLogger();
    logger.info('Deleted VolumeAttachment', { volumeAttachment: 'csi-1', node: 'node-a' });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      msg: 'Deleted VolumeAttachment',
      volumeAttachment: 'csi-1',
      node: 'node-a',
    });
  });

  it('drops lines below its level', () => {
    const { lines, logger } = recordingLogger();
    logger.debug('Reconcile pass ran');
    expect(lines).toEqual([]);
  });

  it('lifts code and outcome of an error and keeps its cause', () => {
    const { lines, logger } = recordingLogger();
    const err = Object.assign(new Error('TIMEOUT: no answer', { cause: new Error('socket closed') }), {
      code: 'TIMEOUT',
      outcome: 'unknown',
    });
    logger.warn('Could not delete VolumeAttachment', { err });
    const line = JSON.parse(lines[0] ?? '');
    expect(line).toMatchObject({ level: 'warn', code: 'TIMEOUT', outcome: 'unknown' });
    expect(line.err.stack).toContain('socket closed');
  });

  it('redacts secrets wherever they are nested', () => {
    const { lines, logger } = recordingLogger();
    logger.error('Could not connect', {
      privateKey: 'hunter2',
      rds: { passphrase: 'hunter2', deeper: { password: 'hunter2' } },
      headers: { authorization: 'Bearer hunter2' },
    });
    expect(lines[0]).not.toContain('hunter2');
    expect(lines[0]).toContain('[redacted]');
  });

  it('adds the ids of the active span', async () => {
    await using _telemetry = startTelemetry({ serviceVersion: '0.0.0' });
    const { lines, logger } = recordingLogger();
    const ids = trace.getTracer('test').startActiveSpan('reconcile attachments', (span) => {
      logger.info('Detached volume');
      span.end();
      return span.spanContext();
    });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ traceId: ids.traceId, spanId: ids.spanId });
  });

  it('writes for people when asked', () => {
    const { lines, logger } = recordingLogger('pretty');
    logger.warn('Lost connection', { node: 'node-a', reasons: ['startup'], err: new Error('reset by peer') });
    expect(lines[0]).toMatch(/WARN .*Lost connection .*node=.*node-a .*reasons=.*\[ 'startup' \]/);
    expect(lines[0]).toContain('Error: reset by peer');
  });
});
