import type { Policy } from '@reattach/core';
import { BACKEND_KINDS } from '../backends.ts';
import type { StateAccess } from '../http/state-access.ts';
import { ALL_OPTIONS } from './all-options.ts';
import type { HostPort } from './host-port.ts';
import type { OptionKey, OptionValues } from './option-table.ts';
import type { RawBackend, SourceReading } from './raw-option.ts';
import { type BackendConfig, readBackends } from './read-backends.ts';
import { readEnvironment } from './read-environment.ts';
import { readFlags } from './read-flags.ts';
import { readYaml } from './read-yaml.ts';
import { shape } from './shape.ts';
import { validate } from './validate.ts';
import { type ReadFile, Values } from './values.ts';

/** What the controller runs with: checked, complete, immutable. Holds secrets: never log it whole. */
export interface Config {
  /** Absent: the pod's service account. */
  /** Merged as kubectl does; empty: the service account of the pod. */
  readonly kubeconfigPaths: readonly string[];
  readonly context?: string;
  /** Everything decisions depend on. */
  readonly policy: Policy;
  /** At least one; names are unique. */
  readonly backends: readonly BackendConfig[];
  readonly http: HostPort;
  /** Where probes are served as well; absent: only at `http`. */
  readonly probes: HostPort | undefined;
  /** Who may read page, state and history. */
  readonly stateAccess: StateAccess;
  readonly page: { readonly clusterName?: string; readonly runbookUrl: string };
  /** Absent: in memory only. */
  readonly audit?: { readonly file: string; readonly maxBytes: number };
  readonly log: { readonly level: OptionValues['log.level']; readonly format: OptionValues['log.format'] };
  readonly reconcileIntervalMs: number;
  /** Absent: this process is the only one. */
  readonly leaderElection?: LeaderElectionConfig;
  readonly shutdownGraceMs: number;
  readonly otlpEndpoint?: string;
  readonly events: boolean;
  /** Keys whose values lie outside their safe range, allowed by `unsafe.compressedTimes`; empty in production. */
  readonly unsafeKeys: readonly string[];
}

export interface LeaderElectionConfig {
  /** Absent: the pod's own namespace. */
  readonly namespace?: string;
  readonly leaseName: string;
  /** Absent: made up at start. */
  readonly identity?: string;
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

/** Where the configuration comes from. */
export interface ConfigSources {
  /** Flags without the command, e.g. `['--mode', 'fence']`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: ReadFile;
}

/**
 * Reads flags, then environment, then the file of `--config`; the first source that names an option wins.
 * Bad values of every source are refused, also those that a better source overrides.
 * @throws {ConfigError} with all problems found.
 */
export function parseConfig(sources: ConfigSources): Config {
  const { values, backends } = resolve(sources);
  validate(values);
  const configured = readBackends(values, backends);
  values.throwProblems();
  return shape(values, configured, kubeconfigPathsOf(values, sources));
}

/** One option alone, by the same sources. A bad value counts as not given, and other options do not matter. */
export function parseOption<K extends OptionKey>(
  key: K,
  sources: ConfigSources,
): OptionValues[K] | undefined {
  const { values } = resolve(sources);
  return values.get(key) ?? (values.option(key).default as OptionValues[K] | undefined);
}

/** The options of all sources in the order of their precedence. */
function resolve({ argv, env, readFile }: ConfigSources): {
  readonly values: Values;
  readonly backends: readonly RawBackend[] | undefined;
} {
  const values = new Values(readFile);
  const take = ({ options, problems }: SourceReading) => {
    values.add(options);
    values.report(...problems);
  };
  take(readFlags(argv, ALL_OPTIONS));
  take(readEnvironment(env, ALL_OPTIONS));
  const file = values.get('config');
  const content = values.contentOf('config');
  if (file === undefined || content === undefined) return { values, backends: undefined };
  const kinds = BACKEND_KINDS.map(({ kind }) => kind);
  const reading = readYaml(content, file, ALL_OPTIONS, kinds);
  take(reading);
  return { values, backends: reading.backends };
}

/** As kubectl does: `--kubeconfig`, else the files of `KUBECONFIG`, else `~/.kube/config` where it exists. */
function kubeconfigPathsOf(values: Values, { env, readFile }: ConfigSources): readonly string[] {
  const own = values.get('kubeconfig');
  if (own !== undefined) return [own];
  const { KUBECONFIG: list = '', HOME: home = '' } = env;
  const listed = list.split(':').filter((each) => each !== '');
  if (listed.length > 0 || home === '') return listed;
  const common = `${home}/.kube/config`;
  try {
    readFile(common);
    return [common];
  } catch (err) {
    const isMissing = err instanceof Error && 'code' in err && err.code === 'ENOENT';
    return isMissing ? [] : [common]; // what is wrong with it is reported when it is used
  }
}
