import { describe, expect, it } from 'vitest';
import { RdsError } from './rds-error.ts';

describe('RdsError', () => {
  it('has its code first in the message, its outcome and its cause', () => {
    const cause = new Error('why');
    const error = new RdsError('TIMEOUT', 'unknown', 'it took too long', { cause });
    expect(error).toMatchObject({ name: 'RdsError', code: 'TIMEOUT', outcome: 'unknown', cause });
    expect(error.message).toBe('TIMEOUT: it took too long');
  });
});
