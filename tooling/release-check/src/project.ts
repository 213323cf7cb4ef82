import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const PROJECT_FILE: string = fileURLToPath(new URL('../project.json', import.meta.url));

/** What the project does not know before it has a home. Placeholders until then. */
export interface Project {
  /** Without a slash at the end; its issue tracker is at `/issues`. */
  readonly repository: string;
  /** Where security faults are reported. */
  readonly securityContact: string;
}

export function readProject(): Project {
  return JSON.parse(readFileSync(PROJECT_FILE, 'utf8')) as Project;
}
