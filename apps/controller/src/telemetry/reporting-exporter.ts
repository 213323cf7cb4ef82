import type { Logger } from '@reattach/core';

/** What exporters of every kind call back with; `code` 0 is success. */
interface ExportResult {
  readonly code: number;
  readonly error?: Error;
}

/** The part that exporters of spans and of metrics share. */
interface Exporter<T> {
  export(items: T, done: (result: ExportResult) => void): void;
}

/** Logs when exports of `exporter` begin to fail and when they succeed again; the SDK logs neither. */
export function reporting<T, E extends Exporter<T>>(
  exporter: E & Exporter<T>,
  signal: 'traces' | 'metrics',
  logger: Logger,
): E {
  let isFailing = false;
  const send = exporter.export.bind(exporter);
  return Object.assign(exporter, {
    export: (items: T, done: (result: ExportResult) => void) =>
      send(items, (result) => {
        if (result.code !== 0 && !isFailing) {
          // Not the error itself: it carries what the collector answered.
          logger.warn('Telemetry was not exported', { signal, why: result.error?.message ?? 'unknown' });
        }
        if (result.code === 0 && isFailing) logger.info('Telemetry was exported again', { signal });
        isFailing = result.code !== 0;
        done(result);
      }),
  });
}
