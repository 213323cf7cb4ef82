import type { Leadership } from '@reattach/core';

/** The right to write where nobody else could hold it: a single replica, or a test. */
export const alwaysLeader: Leadership = { assertHeld: () => undefined };
