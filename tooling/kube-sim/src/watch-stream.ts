import type { ServerResponse } from 'node:http';
import type { Clock } from '@reattach/core';
import type { WatchFault } from './faults.ts';
import type { KubeObject } from './kube-object.ts';
import { KubeSimError } from './kube-sim-error.ts';
import type { Change, ObjectStore } from './object-store.ts';
import type { LoggedRequest } from './request-log.ts';
import { apiVersionOf, type Resource, served } from './resource.ts';
import type { ObjectFilter } from './selector.ts';
import { WatchDrip } from './watch-drip.ts';
import type { WatchStart } from './watch-start.ts';

export interface WatchOptions {
  readonly request: LoggedRequest;
  readonly response: ServerResponse;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly resource: Resource;
  readonly filter: ObjectFilter;
  readonly start: WatchStart;
  readonly bookmarks: boolean;
  readonly bookmarkIntervalMs: number;
  /** The server ends the watch then; absent: never. */
  readonly timeoutMs?: number;
  readonly fault?: WatchFault;
  readonly onClose: (watch: WatchStream) => void;
}

const NEEDS_AN_EVENT: ReadonlySet<WatchFault['effect']> = new Set(['duplicate', 'old-bookmark']);

/** One open watch: JSON lines until the client, the timeout or a fault ends it. */
export class WatchStream {
  readonly request: LoggedRequest;
  readonly #options: WatchOptions;
  readonly #cleanup = new DisposableStack();
  #fault: WatchFault | undefined;
  #sentEvents = 0;
  #lastLine = '';
  #lastVersion = 0;
  #silenced = false;
  /** Bytes still to trickle out; undefined while they need not. */
  #drip: WatchDrip | undefined;

  constructor(options: WatchOptions) {
    this.request = options.request;
    this.#options = options;
    this.#fault = options.fault;
  }

  /** Sends what is due and follows the store. A resourceVersion that is too old is answered with an ERROR event. */
  open(): void {
    const { response, store, start, clock, timeoutMs, bookmarks } = this.#options;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    response.once('close', () => this.close());
    this.#cleanup.use(store.subscribe((change) => this.#onChange(change)));
    if (timeoutMs !== undefined) this.#cleanup.use(clock.after(timeoutMs, () => this.#onTimeout()));
    if (bookmarks) this.#scheduleBookmark();
    this.#applyFault();
    try {
      this.#begin(start);
    } catch (error) {
      if (!(error instanceof KubeSimError)) throw error;
      this.#fail(error);
    }
  }

  /** Makes the watch go wrong now. */
  break(effect: WatchFault['effect']): void {
    const { response } = this.#options;
    switch (effect) {
      case 'end':
        response.end();
        return;
      case 'reset':
        response.socket?.resetAndDestroy();
        return;
      case 'expired':
        this.#fail(new KubeSimError('Expired', 'too old resource version: the history was compacted'));
        return;
      case 'malformed':
        this.#write('{"type":"MODIFIED","object":{"kind":"No');
        return;
      case 'half-open':
        this.#silenced = true;
        return;
      case 'duplicate':
        this.#write(this.#lastLine);
        return;
      case 'old-bookmark':
        this.#sendBookmark(this.#lastVersion - 1);
        return;
      case 'drip':
        this.#drip = this.#cleanup.use(new WatchDrip(this.#options.response, this.#options.clock));
        return;
    }
  }

  /** A BOOKMARK event with the resourceVersion up to which everything was sent. */
  sendBookmark(): void {
    this.#sendBookmark(this.#options.store.resourceVersion);
  }

  #sendBookmark(version: number, annotations?: Readonly<Record<string, string>>): void {
    const { resource } = this.#options;
    const metadata = {
      resourceVersion: String(version),
      creationTimestamp: null,
      ...(annotations && { annotations }),
    };
    const object = { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata };
    this.#write(JSON.stringify({ type: 'BOOKMARK', object }));
  }

  /** Stops following; idempotent. */
  close(): void {
    if (this.#cleanup.disposed) return;
    this.#cleanup.dispose();
    this.#options.onClose(this);
  }

  get wantsBookmarks(): boolean {
    return this.#options.bookmarks;
  }

  #begin(start: WatchStart): void {
    const { store, resource, bookmarks } = this.#options;
    switch (start.kind) {
      case 'everything':
        for (const object of store.list(resource.kind)) this.#sendIfSelected('ADDED', object, undefined);
        if (start.streaming && bookmarks)
          this.#sendBookmark(store.resourceVersion, { 'k8s.io/initial-events-end': 'true' });
        return;
      case 'after':
        for (const change of store.changesSince(resource.kind, start.resourceVersion)) this.#onChange(change);
        return;
      case 'now':
        return;
    }
  }

  #onChange(change: Change): void {
    if (change.kind !== this.#options.resource.kind) return;
    this.#sendIfSelected(change.type, change.object, change.previous);
  }

  /** An object that starts or stops to match the selectors is ADDED or DELETED for this watcher. */
  #sendIfSelected(type: Change['type'], object: KubeObject, previous: KubeObject | undefined): void {
    const { resource, filter } = this.#options;
    const now = type !== 'DELETED' && filter(served(resource, object));
    const before = previous !== undefined && filter(served(resource, previous));
    if (!now && !before) return;
    const seen = now ? (before ? 'MODIFIED' : 'ADDED') : 'DELETED';
    this.#sentEvents += 1;
    this.#lastVersion = Number(object.metadata.resourceVersion);
    this.#lastLine = JSON.stringify({ type: seen, object: served(resource, object) });
    this.#write(this.#lastLine);
    this.#applyFault();
  }

  #applyFault(): void {
    const fault = this.#fault;
    if (!fault) return;
    const due = Math.max(fault.afterEvents ?? 0, NEEDS_AN_EVENT.has(fault.effect) ? 1 : 0);
    if (this.#sentEvents < due) return;
    this.#fault = undefined;
    this.break(fault.effect);
  }

  #fail(error: KubeSimError): void {
    this.#write(JSON.stringify({ type: 'ERROR', object: error.toStatus() }));
    this.#options.response.end();
  }

  #onTimeout(): void {
    if (this.#options.bookmarks) this.sendBookmark();
    if (!this.#silenced) this.#options.response.end();
  }

  #scheduleBookmark(): void {
    const { clock, bookmarkIntervalMs } = this.#options;
    this.#cleanup.use(
      clock.after(bookmarkIntervalMs, () => {
        this.sendBookmark();
        this.#scheduleBookmark();
      }),
    );
  }

  #write(line: string): void {
    const { response } = this.#options;
    if (this.#silenced || response.writableEnded || response.destroyed) return;
    if (this.#drip) this.#drip.write(`${line}\n`);
    else response.write(`${line}\n`);
  }
}
