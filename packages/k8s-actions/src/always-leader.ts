import type { Leadership } from '@reattach/core';

/** The right to write where no other replica exists: a single replica, or a test. */
export const alwaysLeader: Leadership = { assertHeld: () => undefined };
