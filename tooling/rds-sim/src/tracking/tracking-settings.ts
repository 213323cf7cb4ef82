import type { Changes } from '../device/changes.ts';

/** `/ip/firewall/connection/tracking`. */
export interface TrackingOptions {
  /** `auto`: on while a firewall rule needs it. */
  readonly enabled: 'yes' | 'no' | 'auto';
  /** RouterOS: 1 day. */
  readonly tcpEstablishedTimeoutMs: number;
  /** To what an entry is cut down while data is unacknowledged or a reply was never seen. RouterOS: 5 minutes. */
  readonly tcpUnackedTimeoutMs: number;
  /** For every closing state alike. RouterOS: 10 s. */
  readonly tcpClosedTimeoutMs: number;
  /** For `syn-sent` and `syn-received`. RouterOS: 5 s. */
  readonly tcpSynTimeoutMs: number;
  /** Whether an entry may begin with a packet from the middle of a connection. RouterOS: yes. */
  readonly looseTcpTracking: boolean;
}

const ROUTER_OS_DEFAULTS: TrackingOptions = {
  enabled: 'auto',
  tcpEstablishedTimeoutMs: 86_400_000,
  tcpUnackedTimeoutMs: 300_000,
  tcpClosedTimeoutMs: 10_000,
  tcpSynTimeoutMs: 5_000,
  looseTcpTracking: true,
};

/** The settings in force. A change affects later packets only. */
export class TrackingSettings {
  readonly #changes: Changes;
  #options: TrackingOptions;

  constructor(options: Partial<TrackingOptions>, changes: Changes) {
    this.#options = { ...ROUTER_OS_DEFAULTS, ...options };
    this.#changes = changes;
  }

  get current(): TrackingOptions {
    return this.#options;
  }

  change(options: Partial<TrackingOptions>): void {
    this.#changes.apply(() => {
      this.#options = { ...this.#options, ...options };
    });
  }

  get enabled(): TrackingOptions['enabled'] {
    return this.#options.enabled;
  }

  set enabled(enabled: TrackingOptions['enabled']) {
    this.change({ enabled });
  }
}
