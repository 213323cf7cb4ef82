import type { FenceRecord } from '@reattach/core';
import { BackendError } from '@reattach/ssh-transport';

/**
 * Longest comment that we write, characters. RouterOS' limit is not published, so this stays below 255, the usual one; the read-back
 * would show a comment that was cut off. Node names that do not fit are cut and end in `~`; `FenceRecords` has them whole.
 */
const MAX_COMMENT_LENGTH = 240;

/** `reattach/2 id=<8 hex> node=<name> uid= boot= m=<machine> c=<cluster> o=<owner> at=<epoch ms>`; `-`: not known. */
const COMMENT =
  /^reattach\/2 id=([0-9a-f]{8}) node=([A-Za-z0-9.-]+~?) uid=(\S+) boot=(\S+) m=(\S+) c=(\S+) o=(\S+) at=(\d{1,16})$/;

/** What an entry of ours begins with, whatever its version. */
const OURS = /^reattach\/\d+ /;

/** A value that is not known. */
const NONE = '-';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HEX_32 = /^[0-9a-f]{32}$/;

/**
 * The comment that makes an entry of the fence list ours and says all a restarted controller needs.
 * @throws {BackendError} INVALID_VALUE when a part of it cannot be read back
 */
export function formatFenceComment(record: FenceRecord): string {
  const { id, nodeUid, bootId, machineId, clusterId, owner, fencedAtMs } = record;
  const machine = machineId?.split('/').map(pack).join('/') ?? NONE;
  const format = (node: string) =>
    `reattach/2 id=${id} node=${node} uid=${pack(nodeUid)} boot=${pack(bootId)} m=${machine} c=${pack(clusterId)} o=${owner ?? NONE} at=${Math.trunc(fencedAtMs)}`;
  const whole = format(record.nodeName);
  const surplus = whole.length - MAX_COMMENT_LENGTH;
  const comment = surplus > 0 ? format(`${record.nodeName.slice(0, -surplus - 1)}~`) : whole;
  if (comment.length <= MAX_COMMENT_LENGTH && COMMENT.test(comment)) return comment;
  throw new BackendError(
    'INVALID_VALUE',
    'not-applied',
    `Fence cannot be written as ${JSON.stringify(comment.slice(0, 200))}: the id has 8 hexadecimal digits, names are words`,
  );
}

/** `undefined`: an entry that is not ours, or of another version. */
export function parseFenceComment(comment: string): Omit<FenceRecord, 'addresses'> | undefined {
  const match = COMMENT.exec(comment);
  if (!match) return undefined;
  const [
    ,
    id = '',
    nodeName = '',
    uid = NONE,
    boot = NONE,
    machine = NONE,
    cluster = NONE,
    owner = NONE,
    at = '',
  ] = match;
  const known = (text: string) => (text === NONE ? undefined : text.split('/').map(unpack).join('/'));
  const [nodeUid, bootId, machineId, clusterId] = [uid, boot, machine, cluster].map(known);
  return {
    id,
    nodeName,
    ...(nodeUid !== undefined && { nodeUid }),
    ...(bootId !== undefined && { bootId }),
    ...(machineId !== undefined && { machineId }),
    ...(clusterId !== undefined && { clusterId }),
    ...(owner !== NONE && { owner }),
    fencedAtMs: Number(at),
  };
}

/** An entry that some version of Reattach wrote, even if it cannot be read. */
export function isReattachComment(comment: string): boolean {
  return OURS.test(comment);
}

/** UUIDs and machine ids as 22 characters of base64, marked by `@` or `=`; anything else as it is. */
function pack(text: string | undefined): string {
  if (text === undefined) return NONE;
  const isUuid = UUID.test(text);
  if (!isUuid && !HEX_32.test(text)) return text;
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex').toString('base64url');
  return `${isUuid ? '@' : '='}${bytes}`;
}

function unpack(text: string): string {
  if (!/^[@=][\w-]{22}$/.test(text)) return text;
  const hex = Buffer.from(text.slice(1), 'base64url').toString('hex');
  if (text.startsWith('=')) return hex;
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
