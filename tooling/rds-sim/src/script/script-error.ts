/**
 * What RouterOS would refuse a script with; `message` is the line it prints.
 * - `syntax`: found before anything ran, so the whole line is rejected.
 * - `incomplete`: a quote or bracket is still open; a console waits for the rest.
 * - `runtime`: what ran before it stays done, the rest of the line does not run.
 */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
  readonly kind: 'syntax' | 'incomplete' | 'runtime';

  constructor(kind: ScriptError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** @param at offset of the offending character, from 0. Scripts are one line long. */
export function syntaxError(message: string, at: number): ScriptError {
  return new ScriptError('syntax', `${message} (line 1 column ${at + 1})`);
}

export function incompleteError(message: string, at: number): ScriptError {
  return new ScriptError('incomplete', `${message} (line 1 column ${at + 1})`);
}

export function runtimeError(message: string): ScriptError {
  return new ScriptError('runtime', message);
}
