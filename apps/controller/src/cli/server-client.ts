import type { Mode } from '@reattach/core';
import type { AuditRecord, StateReport } from '@reattach/status-page';
import { formatHostPort, type HostPort } from '../config/host-port.ts';
import type { AttachmentChoice } from '../state/build-state-report.ts';
import { printableDeep } from '../telemetry/printable.ts';
import { CliError, usageError } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';
import type { Call } from './command.ts';
import { readListenAddress, SERVER_VARIABLE } from './read-config.ts';

/** Longest wait for an answer, ms. */
const TIMEOUT_MS = 10_000;

/** A running controller, over HTTP. */
export class ServerClient {
  readonly url: string;
  readonly #signal: AbortSignal;

  constructor(url: string, signal: AbortSignal) {
    this.url = url;
    this.#signal = signal;
  }

  /** @param mode what passes would do in this mode; absent: in the controller's own. */
  state(choice: AttachmentChoice, mode?: Mode): Promise<StateReport> {
    const asked = mode === undefined ? '' : `&mode=${mode}`;
    return this.#ask(`/state?attachments=${choice}${asked}`, isStateReport);
  }

  async history(limit: number): Promise<readonly AuditRecord[]> {
    const { records } = await this.#ask(`/history?limit=${limit}`, isHistory);
    return records;
  }

  /** What an endpoint answers, whatever its status. @throws {CliError} without an answer */
  async text(path: string): Promise<string> {
    try {
      const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)]);
      return await (await fetch(`${this.url}${path}`, { signal })).text();
    } catch (err) {
      throw new CliError(`No controller answers at ${this.url}: ${reasonOf(err)}`);
    }
  }

  async reconcile(): Promise<void> {
    await this.#ask('/reconcile', (answer): answer is object => typeof answer === 'object', 'POST');
  }

  async #ask<T>(path: string, isExpected: (answer: unknown) => answer is T, method = 'GET'): Promise<T> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)]);
    let response: Response;
    try {
      response = await fetch(`${this.url}${path}`, { method, signal });
    } catch (err) {
      this.#signal.throwIfAborted();
      throw new CliError(`No controller answers at ${this.url}: ${reasonOf(err)}`);
    }
    const asked = path.split('?')[0];
    if (response.status === 403) {
      throw new CliError(
        `The controller at ${this.url} does not serve ${asked} to this host (option http.stateAccess). Use kubectl port-forward or kubectl exec`,
      );
    }
    if (response.status === 404) {
      throw new CliError(`The server at ${this.url} has no ${asked} endpoint. Is it a Reattach controller?`);
    }
    const answer: unknown = printableDeep(await response.json().catch(() => undefined));
    if (!response.ok)
      throw new CliError(`The controller at ${this.url} answered ${response.status}${errorIn(answer)}`);
    if (isExpected(answer)) return answer;
    throw new CliError(
      `The answer of the server at ${this.url} was not understood. Is it a Reattach controller of this version?`,
    );
  }
}

/** The controller of `--server` or REATTACH_SERVER; `undefined` when neither names one. */
export function namedServer({ flags }: Call, io: CliIo): ServerClient | undefined {
  const given = flags.get('--server') ?? io.env[SERVER_VARIABLE];
  if (typeof given !== 'string' || given === '') return undefined;
  const url = URL.parse(given);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw usageError(
      `Expected an http or https URL in --server or ${SERVER_VARIABLE}, got ${JSON.stringify(given)}`,
    );
  }
  return new ServerClient(given.replace(/\/$/, ''), io.signal);
}

/** The controller of this configuration on this machine; it may not be running. */
export function localServer(call: Call, io: CliIo): ServerClient {
  return new ServerClient(`http://${formatHostPort(reachable(readListenAddress(call, io)))}`, io.signal);
}

/** Who listens on all addresses answers on loopback. */
function reachable({ host, port }: HostPort): HostPort {
  const loopback = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return { host: loopback, port };
}

function isStateReport(answer: unknown): answer is StateReport {
  return (
    typeof answer === 'object' &&
    answer !== null &&
    ['asOfMs', 'mode', 'counts', 'attachments', 'nodes', 'backends'].every((key) => key in answer)
  );
}

function isHistory(answer: unknown): answer is { readonly records: readonly AuditRecord[] } {
  return (
    typeof answer === 'object' && answer !== null && 'records' in answer && Array.isArray(answer.records)
  );
}

function errorIn(answer: unknown): string {
  const isError = typeof answer === 'object' && answer !== null && 'error' in answer;
  return isError ? `: ${String(answer.error)}` : '';
}

/** `fetch` hides the cause in the cause. */
function reasonOf(err: unknown): string {
  if (!(err instanceof Error)) return String(err);
  const { cause } = err;
  if (!(cause instanceof Error)) return err.message;
  return 'code' in cause ? String(cause.code) : cause.message;
}
