/** One thing the doctor looked at. */
export interface Check {
  readonly name: string;
  /** `ok`; `warning`: works, with a limit; `failed`: Reattach cannot do its work until it is mended. */
  readonly state: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  /** What to type, or to do, to mend it. */
  readonly fix?: string;
}

export function ok(name: string, detail: string): Check {
  return { name, state: 'ok', detail };
}

export function warning(name: string, detail: string, fix?: string): Check {
  return { name, state: 'warning', detail, ...(fix !== undefined && { fix }) };
}

export function failed(name: string, detail: string, fix?: string): Check {
  return { name, state: 'failed', detail, ...(fix !== undefined && { fix }) };
}
