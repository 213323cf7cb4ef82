import { describe, expect, it } from 'vitest';
import { BackendError } from './backend-error.ts';

describe('BackendError', () => {
  it('has its code first in the message, its outcome and its cause', () => {
    const cause = new Error('why');
    const error = new BackendError('TIMEOUT', 'unknown', 'it took too long', { cause });
    expect(error).toMatchObject({ name: 'BackendError', code: 'TIMEOUT', outcome: 'unknown', cause });
    expect(error.message).toBe('TIMEOUT: it took too long');
  });
});
