import { BACKEND_KINDS } from '../backends.ts';
import type { Config } from '../config/config.ts';
import type { BackendConfig } from '../config/read-backends.ts';
import { runDoctor } from '../doctor/run-doctor.ts';
import { EXIT } from '../exit-code.ts';
import { printableDeep } from '../telemetry/printable.ts';
import { VERSION } from '../version.ts';
import { type Command, SERVER_FLAG } from './command.ts';
import { readConfig } from './read-config.ts';
import { localServer, namedServer } from './server-client.ts';

export const supportBundleCommand: Command = {
  name: 'support-bundle',
  args: [],
  summary:
    'Print version, configuration without secrets, state, history, readiness, metrics and the checks of `doctor` as one JSON object.',
  flags: [SERVER_FLAG],
  async run(call, io) {
    const server = namedServer(call, io) ?? localServer(call, io);
    const bundle = {
      version: VERSION,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      at: new Date(io.clock.now()).toISOString(),
      configuration: await part(async () => withoutSecrets(readConfig(call.configArgv, io))),
      state: await part(() => server.state('all')),
      history: await part(() => server.history(1_000)),
      readyz: await part(() => server.text('/readyz')),
      metrics: await part(() => server.text('/metrics')),
      doctor: await part(() => runDoctor(readConfig(call.configArgv, io), io)),
    };
    io.stdout(`${JSON.stringify(printableDeep(bundle), undefined, 2)}\n`);
    return EXIT.ok;
  },
};

/** What could not be collected is said in its place. */
async function part<T>(collect: () => Promise<T>): Promise<T | { readonly error: string }> {
  try {
    return await collect();
  } catch (err) {
    return { error: err instanceof Error ? err.message : String(err) };
  }
}

/** The configuration without keys, passphrases and the URL of the collector, which may hold a token. */
function withoutSecrets({ backends, otlpEndpoint, ...config }: Config): object {
  return { ...config, hasOtlpEndpoint: otlpEndpoint !== undefined, backends: backends.map(shown) };
}

function shown({ kind, name, settings }: BackendConfig): object {
  const options = BACKEND_KINDS.find((each) => each.kind === kind)?.options ?? {};
  const isPublic = ([option]: readonly [string, unknown]) =>
    options[option] !== undefined && options[option].type !== 'file' && !options[option].secret;
  return { kind, name, settings: Object.fromEntries(Object.entries(settings).filter(isPublic)) };
}
