import { type Config, type ConfigSources, parseConfig, parseOption } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import type { HostPort } from '../config/host-port.ts';
import { EXIT } from '../exit-code.ts';
import { CliError } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';
import type { Call } from './command.ts';

/** Names the running controller; no option, since a controller does not ask itself. */
export const SERVER_VARIABLE = 'REATTACH_SERVER';

type Surroundings = Pick<CliIo, 'env' | 'readFile'>;

/** @throws {ConfigError} with all problems found. */
export function readConfig(argv: readonly string[], io: Surroundings): Config {
  return parseConfig(sources(argv, io));
}

/** The configuration, for a command that no controller answered. @throws {CliError} that says so before what is wrong with it */
export function readConfigOr(unanswered: string, argv: readonly string[], io: Surroundings): Config {
  try {
    return readConfig(argv, io);
  } catch (err) {
    if (!(err instanceof ConfigError)) throw err;
    throw new CliError(
      `No controller found. ${unanswered}\nWithout one the configuration is needed (or name one with --server):\n${err.message}`,
      EXIT.notFound,
    );
  }
}

/** Where a controller with this configuration listens, whatever else may be wrong with it. */
export function readListenAddress({ configArgv }: Call, io: Surroundings): HostPort {
  const address = parseOption('http.listen', sources(configArgv, io));
  if (!address) throw new TypeError('Option http.listen has a default');
  return address;
}

/** `audit.file` alone. */
export function readAuditFile({ configArgv }: Call, io: Surroundings): string | undefined {
  return parseOption('audit.file', sources(configArgv, io));
}

function sources(argv: readonly string[], { env, readFile }: Surroundings): ConfigSources {
  const { [SERVER_VARIABLE]: _server, ...others } = env;
  return { argv, env: others, readFile };
}
