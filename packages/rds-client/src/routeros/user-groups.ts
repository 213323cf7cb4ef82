import * as z from 'zod';
import type { UserGroup } from '../snapshot.ts';
import type { Row } from './reply.ts';
import { parseEach, text } from './row-schemas.ts';

const user = z.object({ name: text, group: text });
/** A list of words: an array, or joined by `;` or `,`. A policy that the group lacks is left out or begins with `!`. */
const policies = z.union([z.array(text), text.transform((words) => words.split(/[;,]/))]);
const group = z.object({ name: text, policy: policies });

/** What each user may do. @param rows by label; `undefined` when the backend refused or left out either menu */
export function parseUserGroups(
  rows: (label: string) => readonly Row[],
): ReadonlyMap<string, UserGroup> | undefined {
  const groups = new Map(parseEach('groups', group, rows('groups')).rows.map((each) => [each.name, each]));
  const users = parseEach('users', user, rows('users')).rows.flatMap((each) => {
    const found = groups.get(each.group);
    return found ? [[each.name, { group: each.group, policies: found.policy }] as const] : [];
  });
  return users.length === 0 ? undefined : new Map(users);
}
