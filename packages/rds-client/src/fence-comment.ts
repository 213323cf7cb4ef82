import type { FenceRecord } from '@reattach/core';
import { BackendError } from '@reattach/ssh-transport';

/** `reattach/1 id=<8 hex> node=<name> uid=<uid or -> boot=<bootID or -> at=<epoch ms>` */
const COMMENT =
  /^reattach\/1 id=([0-9a-f]{8}) node=([A-Za-z0-9.-]+) uid=([\w.:-]+) boot=([\w.:-]+) at=(\d{1,16})$/;

/** A value that is not known. */
const NONE = '-';

/**
 * The comment that makes an entry of the fence list ours and says all a restarted controller needs.
 * @throws {BackendError} INVALID_VALUE when a part of it cannot be read back
 */
export function formatFenceComment(fence: FenceRecord): string {
  const { id, nodeName, nodeUid = NONE, bootId = NONE, fencedAtMs } = fence;
  const comment = `reattach/1 id=${id} node=${nodeName} uid=${nodeUid} boot=${bootId} at=${fencedAtMs}`;
  if (COMMENT.test(comment)) return comment;
  throw new BackendError(
    'INVALID_VALUE',
    'not-applied',
    `Fence cannot be written as ${JSON.stringify(comment.slice(0, 200))}: the id has 8 hexadecimal digits, names are words`,
  );
}

/** `undefined`: an entry that is not ours. */
export function parseFenceComment(comment: string): FenceRecord | undefined {
  const match = COMMENT.exec(comment);
  if (!match) return undefined;
  const [, id = '', nodeName = '', nodeUid = NONE, bootId = NONE, at = ''] = match;
  return {
    id,
    nodeName,
    ...(nodeUid !== NONE && { nodeUid }),
    ...(bootId !== NONE && { bootId }),
    addresses: [],
    fencedAtMs: Number(at),
  };
}
