import type { Policy } from '@reattach/core';
import type { Audience } from '../http/state-access.ts';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import {
  environmentVariableOf,
  flagOf,
  OPTION_KEYS,
  OPTIONS,
  type Option,
  type OptionKey,
  type OptionValues,
} from './config-options.ts';
import type { HostPort } from './host-port.ts';
import type { RawValue } from './option-type.ts';
import {
  type Given,
  type GivenBackend,
  readEnvironment,
  readFlags,
  readYaml,
  type SourceReading,
} from './raw-options.ts';

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
  /** Serve state and history there too. */
  readonly audience: Audience;
  /** Absent: in memory only. */
  readonly audit?: { readonly file: string; readonly maxBytes: number };
  readonly log: { readonly level: OptionValues['log.level']; readonly format: OptionValues['log.format'] };
  readonly reconcileIntervalMs: number;
  readonly activityWindowMs: number;
  readonly idlePollMs: number;
  /** @see createRdsBackend */
  readonly quiesceMs: number;
  readonly writesStillMs: number;
  /** Absent: this process is the only one. */
  readonly leaderElection?: {
    /** Absent: the pod's own namespace. */
    readonly namespace?: string;
    readonly leaseName: string;
    /** Absent: made up at start. */
    readonly identity?: string;
    readonly leaseDurationMs: number;
    readonly renewDeadlineMs: number;
    readonly retryPeriodMs: number;
  };
  readonly shutdownGraceMs: number;
  readonly otlpEndpoint?: string;
  readonly events: boolean;
  /** Keys whose values lie outside their safe range, allowed by `unsafe.compressedTimes`; empty in production. */
  readonly unsafeKeys: readonly OptionKey[];
}

/** How one backend is reached, and by which addresses PersistentVolumes name it. */
export interface BackendConfig extends HostPort {
  readonly name: string;
  readonly user: string;
  readonly privateKey: string;
  readonly passphrase?: string;
  /** OpenSSH line or fingerprint. */
  readonly hostKey: string;
  readonly storageAddresses: readonly string[];
}

/** Where the configuration comes from. */
export interface ConfigSources {
  /** Flags without the command, e.g. `['--mode', 'fence']`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a text file. @throws when that is impossible. */
  readonly readFile: (path: string) => string;
}

/** What every backend needs. */
const BACKEND_REQUIRED = ['rds.address', 'rds.user', 'rds.privateKeyFile'] as const;

/** Bound of one write, ms. @see LeaderElector */
const LONGEST_WRITE_MS = 5_000;

/** Longest value quoted in a message. */
const QUOTED_CHARACTERS = 60;

/**
 * Reads flags, then environment, then the file of `--config`; the first source that names an option wins.
 * Bad values of every source count, also of those that lose.
 * @throws {ConfigError} with all problems found.
 */
export function parseConfig(sources: ConfigSources): Config {
  return new ConfigReader(sources).read();
}

/** One option alone, by the same sources; what is wrong with others does not matter, and what is with it is as if not given. */
export function parseOption<K extends OptionKey>(
  key: K,
  sources: ConfigSources,
): OptionValues[K] | undefined {
  return new ConfigReader(sources).readOption(key);
}

class ConfigReader {
  readonly #sources: ConfigSources;
  readonly #problems: ConfigProblem[];
  /** By key, most important source first. */
  readonly #given: Map<OptionKey, readonly Given[]>;
  #backends: readonly GivenBackend[] | undefined;

  /** @param outer whose values hold where nothing else is given, and who is told of problems. */
  constructor(sources: ConfigSources, outer?: ConfigReader) {
    this.#sources = sources;
    this.#problems = outer ? outer.#problems : [];
    this.#given = new Map(outer ? outer.#given : []);
  }

  readOption<K extends OptionKey>(key: K): OptionValues[K] | undefined {
    this.#takeSources();
    const option: Option<OptionValues[K]> = OPTIONS[key];
    return this.#value(key) ?? option.default;
  }

  read(): Config {
    this.#takeSources();
    for (const key of OPTION_KEYS) this.#check(key);
    const unsafeKeys = OPTION_KEYS.filter((key) => !this.#isSafe(key));
    if (!this.#value('unsafe.compressedTimes')) for (const key of unsafeKeys) this.#refuseUnsafe(key);
    this.#checkTogether();
    const backends = this.#readBackends();
    const context = this.#value('context');
    const otlpEndpoint = this.#value('otlp.endpoint');
    const auditFile = this.#value('audit.file');
    if (this.#problems.length > 0) throw new ConfigError(this.#problems);
    return {
      kubeconfigPaths: this.#kubeconfigPaths(),
      ...(context === undefined ? {} : { context }),
      policy: this.#policy(),
      backends: backends.map((backend) => present(backend, 'rds.address')),
      http: this.#must('http.listen'),
      audience: this.#must('http.state'),
      ...(auditFile !== undefined && { audit: { file: auditFile, maxBytes: this.#must('audit.maxBytes') } }),
      log: { level: this.#must('log.level'), format: this.#must('log.format') },
      reconcileIntervalMs: this.#must('reconcile.intervalMs'),
      activityWindowMs: this.#must('activityWindowMs'),
      idlePollMs: this.#must('idlePollMs'),
      quiesceMs: this.#must('fence.quiesceMs'),
      writesStillMs: this.#must('fence.writesStillMs'),
      ...(this.#must('leaderElection.enabled') && { leaderElection: this.#leaderElection() }),
      shutdownGraceMs: this.#must('shutdownGraceMs'),
      ...(otlpEndpoint === undefined ? {} : { otlpEndpoint }),
      events: this.#must('events'),
      unsafeKeys,
    };
  }

  #policy(): Policy {
    const strategy = this.#must('strategy');
    return {
      mode: this.#must('mode'),
      attacher: this.#must('attacher'),
      strategy,
      otherDrivers: this.#value('otherDrivers') ?? (strategy === 'out-of-service' ? 'hold' : 'release-ours'),
      gracePeriodMs: this.#must('gracePeriodMs'),
      silentGraceMs: this.#must('silentGraceMs'),
      maxCacheAgeMs: this.#must('maxCacheAgeMs'),
      suspectPollMs: this.#must('suspectPollMs'),
      detachTimeoutMs: this.#must('detachTimeoutMs'),
      breaker: {
        maxNodes: this.#must('breaker.maxNodes'),
        maxFraction: this.#must('breaker.maxFraction'),
        maxNodesPerWindow: this.#must('breaker.maxNodesPerWindow'),
        windowMs: this.#must('breaker.windowMs'),
      },
      fence: {
        pollMs: this.#must('fence.pollMs'),
        neverFence: this.#value('fence.neverFence') ?? {},
      },
      earlyDetection: { enabled: this.#must('earlyDetection'), leaseStaleMs: this.#must('leaseStaleMs') },
    };
  }

  #leaderElection(): NonNullable<Config['leaderElection']> {
    const namespace = this.#value('leaderElection.namespace');
    const identity = this.#value('leaderElection.identity');
    return {
      ...(namespace === undefined ? {} : { namespace }),
      leaseName: this.#must('leaderElection.leaseName'),
      ...(identity === undefined ? {} : { identity }),
      leaseDurationMs: this.#must('leaderElection.leaseDurationMs'),
      renewDeadlineMs: this.#must('leaderElection.renewDeadlineMs'),
      retryPeriodMs: this.#must('leaderElection.retryPeriodMs'),
    };
  }

  /** The backends of the file, else the one of the `rds.` options. `undefined` for one with problems, which were noted. */
  #readBackends(): readonly (BackendConfig | undefined)[] {
    if (!this.#backends) return [this.#readBackend(undefined)];
    for (const given of this.#givenFor('rds.address')) {
      this.#refuse(
        'rds.address',
        given.source,
        given.raw,
        'no address of a single backend where the file lists backends',
      );
    }
    const backends = this.#backends.map(({ name, given }) => {
      const reader = new ConfigReader(this.#sources, this);
      for (const value of given) reader.#given.set(value.key, [value]);
      for (const { key } of given) reader.#check(key);
      const isOwn = (key: OptionKey) => given.some((value) => value.key === key);
      if (isOwn('rds.hostKey')) reader.#given.delete('rds.hostKeyFile');
      else if (isOwn('rds.hostKeyFile')) reader.#given.delete('rds.hostKey');
      return reader.#readBackend(name);
    });
    const names = backends.map((backend) => backend?.name);
    const twice = names.find((name, index) => name !== undefined && names.indexOf(name) !== index);
    if (twice !== undefined) {
      this.#problems.push({
        key: 'backends',
        value: JSON.stringify(twice),
        expected: 'a name of its own for each backend',
      });
    }
    return backends;
  }

  #readBackend(name: string | undefined): BackendConfig | undefined {
    for (const key of BACKEND_REQUIRED) this.#checkRequired(key);
    const privateKey = this.#contentOf('rds.privateKeyFile');
    const passphrase = this.#contentOf('rds.passphraseFile');
    const hostKey = this.#hostKey();
    const address = this.#value('rds.address');
    const user = this.#value('rds.user');
    if (!address || user === undefined || privateKey === undefined || hostKey === undefined) return undefined;
    return {
      name: name ?? address.host,
      ...address,
      user,
      privateKey,
      ...(passphrase === undefined ? {} : { passphrase: passphrase.replace(/\r?\n$/, '') }),
      hostKey,
      storageAddresses: this.#value('rds.storageAddresses') ?? [address.host],
    };
  }

  #takeSources(): void {
    this.#take(readFlags(this.#sources.argv));
    this.#take(readEnvironment(this.#sources.env));
    const file = this.#value('config');
    const content = this.#contentOf('config');
    if (file !== undefined && content !== undefined) this.#take(readYaml(content, file));
  }

  #take({ given, problems, backends }: SourceReading): void {
    this.#problems.push(...problems);
    this.#backends ??= backends;
    for (const value of given) this.#given.set(value.key, [...this.#givenFor(value.key), value]);
  }

  #givenFor(key: OptionKey): readonly Given[] {
    return this.#given.get(key) ?? [];
  }

  #check(key: OptionKey): void {
    const { type } = OPTIONS[key];
    for (const { raw, source } of this.#givenFor(key)) {
      if (type.parse(raw) === undefined) this.#refuse(key, source, raw, type.expected);
    }
  }

  #checkRequired(key: OptionKey): void {
    if (this.#givenFor(key).length > 0) return;
    const ways = `${flagOf(key)}, ${environmentVariableOf(key)} or the file`;
    this.#problems.push({ key, expected: `${OPTIONS[key].type.expected}, set by ${ways}` });
  }

  #isSafe(key: OptionKey): boolean {
    const { safe } = OPTIONS[key];
    const value = this.#value(key);
    if (!safe || typeof value !== 'number') return true;
    return value >= safe.atLeast && value <= (safe.atMost ?? Number.POSITIVE_INFINITY);
  }

  #refuseUnsafe(key: OptionKey): void {
    const { safe } = OPTIONS[key];
    const [given] = this.#givenFor(key);
    if (!safe || !given) return;
    const most = safe.atMost === undefined ? '' : ` and at most ${safe.atMost}`;
    this.#refuse(key, given.source, given.raw, `at least ${safe.atLeast}${most}: ${safe.because}`);
  }

  #checkTogether(): void {
    this.#checkOrder('silentGraceMs', 'gracePeriodMs', 'silence shortens the grace period');
    this.#checkLease();
    this.#checkOrder('suspectPollMs', 'activityWindowMs', 'a node is looked at while it may still be live');
  }

  /** @see LeaderElector, which refuses the same */
  #checkLease(): void {
    const [lease, renew, retry] = (['leaseDurationMs', 'renewDeadlineMs', 'retryPeriodMs'] as const).map(
      (name) => this.#value(`leaderElection.${name}`),
    );
    if (lease === undefined || renew === undefined || retry === undefined) return;
    const refuse = (key: OptionKey, value: number, expected: string) =>
      this.#refuse(key, this.#givenFor(key)[0]?.source, value, expected);
    if (lease % 1_000 !== 0 || lease < renew + LONGEST_WRITE_MS) {
      refuse(
        'leaderElection.leaseDurationMs',
        lease,
        `whole seconds, at least leaderElection.renewDeadlineMs + ${LONGEST_WRITE_MS}: a write of the old leader must end before a new one may start`,
      );
    }
    if (retry * 2.2 >= renew) {
      refuse(
        'leaderElection.retryPeriodMs',
        retry,
        'less than leaderElection.renewDeadlineMs / 2.2: a renewal may fail once',
      );
    }
  }

  #checkOrder(small: OptionKey, large: OptionKey, because: string): void {
    const [value, limit] = [this.#value(small), this.#value(large)];
    if (typeof value !== 'number' || typeof limit !== 'number' || value <= limit) return;
    const [given] = [...this.#givenFor(small), ...this.#givenFor(large)];
    this.#refuse(small, given?.source, value, `at most ${large} (${limit}): ${because}`);
  }

  #hostKey(): string | undefined {
    const inline = this.#value('rds.hostKey');
    const given = (key: OptionKey) => this.#given.has(key);
    if (given('rds.hostKey') === given('rds.hostKeyFile')) {
      this.#problems.push({
        key: 'rds.hostKey',
        expected: given('rds.hostKey')
          ? 'rds.hostKey or rds.hostKeyFile, not both'
          : 'the host key of the backend in rds.hostKey or rds.hostKeyFile: without it nobody knows who answers',
      });
      return undefined;
    }
    return inline ?? this.#contentOf('rds.hostKeyFile')?.trim();
  }

  /** As kubectl: the option's file, else those that `KUBECONFIG` lists, else `~/.kube/config` where it exists. */
  #kubeconfigPaths(): readonly string[] {
    const own = this.#value('kubeconfig');
    if (own !== undefined) return [own];
    const { KUBECONFIG: list = '', HOME: home = '' } = this.#sources.env;
    const listed = list.split(':').filter((each) => each !== '');
    if (listed.length > 0 || home === '') return listed;
    const common = `${home}/.kube/config`;
    try {
      this.#sources.readFile(common);
      return [common];
    } catch (err) {
      return err instanceof Error && 'code' in err && err.code === 'ENOENT' ? [] : [common]; // what is wrong is reported when it is used
    }
  }

  /** The content of the file an option names; a file that cannot be read, or is empty, is a problem. */
  #contentOf(key: OptionKey): string | undefined {
    const file = this.#value(key);
    const [given] = this.#givenFor(key);
    if (typeof file !== 'string' || !given) return undefined;
    try {
      const content = this.#sources.readFile(file);
      if (content.trim() !== '') return content;
      this.#refuse(key, given.source, file, 'a file that is not empty');
    } catch (err) {
      const why = err instanceof Error && 'code' in err ? ` (${String(err.code)})` : '';
      this.#refuse(key, given.source, file, `a file that can be read${why}`);
    }
    return undefined;
  }

  #value<K extends OptionKey>(key: K): OptionValues[K] | undefined {
    const option: Option<OptionValues[K]> = OPTIONS[key];
    const [given] = this.#givenFor(key);
    return given ? option.type.parse(given.raw) : option.default;
  }

  #must<K extends OptionKey>(key: K): OptionValues[K] {
    return present(this.#value(key), key);
  }

  #refuse(key: OptionKey, source: string | undefined, raw: RawValue, expected: string): void {
    const value = OPTIONS[key].secret ? undefined : quote(raw);
    this.#problems.push({
      key,
      ...(source === undefined ? {} : { source }),
      ...(value === undefined ? {} : { value }),
      expected,
    });
  }
}

/** Quotes a value for a message: shortened, and never a key somebody pasted in place of its path. */
function quote(raw: RawValue): string | undefined {
  const value = String(raw);
  if (value.includes('PRIVATE KEY')) return undefined;
  return JSON.stringify(value.length > QUOTED_CHARACTERS ? `${value.slice(0, QUOTED_CHARACTERS)}...` : value);
}

function present<T>(value: T | undefined, key: OptionKey): T {
  if (value === undefined) throw new TypeError(`Option ${key} passed the checks without a value`);
  return value;
}
