import type { CommandFault } from '../faults.ts';

/** What goes over a channel, and how it ends. */
export interface Reply {
  readonly bytes: Buffer;
  /** `exit`: status, then the end. `no-status`: the end alone. `open`: nothing more comes. `reset`: the TCP connection goes. */
  readonly end: 'exit' | 'no-status' | 'open' | 'reset';
  readonly status: number;
}

const LOG_LINE =
  '10:15:42 echo: system,error,critical login failure for user operator from 192.0.2.77 via ssh';
const GARBAGE = Buffer.from([0x00, 0xff, 0xfe, 0x1b, 0x5b, 0x32, 0x4a, 0xc3, 0x28, 0x07, 0x0d, 0x0a]);

/** The reply a fault makes of a right one. */
export function spoil(reply: Reply, fault: CommandFault | undefined): Reply {
  switch (fault?.kind) {
    case undefined:
    case 'slow':
      return reply;
    case 'hang':
      return { ...reply, bytes: Buffer.alloc(0), end: 'open' };
    case 'cut':
      return { ...reply, bytes: reply.bytes.subarray(0, fault.afterBytes), end: 'reset' };
    case 'close-channel':
      return { ...reply, bytes: reply.bytes.subarray(0, fault.afterBytes), end: 'no-status' };
    case 'truncate':
      return { ...reply, bytes: mapLines(reply.bytes, (lines) => lines.map(halveJson)) };
    case 'log-line':
      return {
        ...reply,
        bytes: mapLines(reply.bytes, (lines) =>
          lines.toSpliced(fault.afterLines ?? 1, 0, `${fault.text ?? LOG_LINE}\r`),
        ),
      };
    case 'garbage':
      return { ...reply, bytes: Buffer.concat([GARBAGE, reply.bytes]) };
    case 'exit-status':
      return fault.status === 'none' ? { ...reply, end: 'no-status' } : { ...reply, status: fault.status };
    case 'replace':
      break;
  }
  return { ...reply, bytes: Buffer.from(fault.output) };
}

function mapLines(bytes: Buffer, change: (lines: readonly string[]) => readonly string[]): Buffer {
  return Buffer.from(change(bytes.toString().split('\n')).join('\n'));
}

/** Cuts the JSON of a line in half, the `\r` behind it stays. */
function halveJson(line: string): string {
  const start = line.search(/[[{]/);
  const end = line.endsWith('\r') ? line.length - 1 : line.length;
  if (start === -1) return line;
  return line.slice(0, start + Math.floor((end - start) / 2)) + line.slice(end);
}
