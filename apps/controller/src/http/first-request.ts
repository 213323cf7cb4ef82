import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';

/**
 * Discards what a client sends after the head of its first request. Node parses all of the chunk it has read, up to 64 kB, and makes a
 * request and an answer of each of some 1,500 pipelined requests in it, also when the connection was closed at the second one.
 * Bodies are discarded as well: no endpoint reads one.
 */
export function parseFirstRequestOnly(server: Server): void {
  server.on('connection', (socket: Socket) => {
    const parsers = socket.listeners('data') as ((chunk: Buffer) => void)[];
    const headEnd = headEndOf();
    socket.removeAllListeners('data');
    // A listener for data also makes Node read through it, and not past it from the handle.
    socket.on('data', (chunk: Buffer) => {
      const length = headEnd(chunk);
      if (length > 0) for (const parse of parsers) parse.call(socket, chunk.subarray(0, length));
    });
  });
}

/** @returns how many bytes of the next chunk belong to the first head */
function headEndOf(): (chunk: Buffer) => number {
  let isOver = false;
  let before = '';
  return (chunk) => {
    if (isOver) return 0;
    const text = before + chunk.toString('latin1');
    const at = text.indexOf(HEAD_END);
    if (at < 0) {
      const length = chunk.length;
      before = text.slice(1 - HEAD_END.length);
      return length;
    }
    isOver = true;
    return at + HEAD_END.length - before.length;
  };
}
