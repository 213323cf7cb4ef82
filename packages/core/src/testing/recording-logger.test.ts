import { describe, expect, it } from 'vitest';
import { RecordingLogger } from './recording-logger.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

describe('RecordingLogger', () => {
  it('keeps level, message and fields of every line, in order', () => {
    const logger = new RecordingLogger();
    for (const level of LEVELS) logger[level](`Said ${level}`, { node: level });
    logger.warn('Said no more');
    expect(logger.lines).toEqual([
      ...LEVELS.map((level) => ({ level, message: `Said ${level}`, fields: { node: level } })),
      { level: 'warn', message: 'Said no more', fields: {} },
    ]);
  });

  it('finds the messages of one level', () => {
    const logger = new RecordingLogger();
    logger.info('First');
    logger.warn('Second');
    logger.info('Third');
    expect(logger.messages('info')).toEqual(['First', 'Third']);
    expect(logger.messages('error')).toEqual([]);
  });
});
