import { type Command, OUTPUT_FLAG, SERVER_FLAG } from './command.ts';
import { print } from './print.ts';
import { localServer, namedServer } from './server-client.ts';

export const reconcileCommand: Command = {
  name: 'reconcile',
  args: [],
  summary: 'Ask the running controller for a pass now.',
  flags: [OUTPUT_FLAG, SERVER_FLAG],
  async run(call, io) {
    const server = namedServer(call, io) ?? localServer(call, io);
    await server.reconcile();
    return print(
      call,
      io,
      { requested: true },
      () => 'Asked for a pass; `reattach status` shows what it made of it\n',
    );
  },
};
