/** Text that leads somewhere. */
export interface Link {
  readonly text: string;
  readonly href: string;
}

/** The runbook entry of a hold reason; `undefined` without an http or https address of the runbook. */
export function runbookLink(runbookUrl: string | undefined, reason: string): Link | undefined {
  if (runbookUrl === undefined || !/^https?:\/\//.test(runbookUrl)) return undefined;
  return { text: `What to do about ${reason}`, href: `${runbookUrl}#${encodeURIComponent(reason)}` };
}
