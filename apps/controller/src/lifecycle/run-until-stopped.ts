import type { Clock, Logger } from '@reattach/core';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { Controller } from './controller.ts';

/** What a run needs of its surroundings. */
export interface RunOptions {
  readonly shutdownGraceMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Subscribes to SIGTERM and SIGINT; disposal unsubscribes. */
  readonly onSignal: (listener: (name: string) => void) => Disposable;
  /** Ends the process without further ado. */
  readonly exitNow: (code: ExitCode) => void;
}

/**
 * Runs the controller until the first signal, then gives it `shutdownGraceMs` to stop. A second signal ends the
 * process at once.
 */
export async function runUntilStopped(controller: Controller, options: RunOptions): Promise<ExitCode> {
  const { shutdownGraceMs, clock, logger, onSignal, exitNow } = options;
  const stop = new AbortController();
  using cleanup = new DisposableStack();
  const graceExceeded = Promise.withResolvers<ExitCode>();
  cleanup.use(
    onSignal((name) => {
      if (stop.signal.aborted) {
        logger.warn('Received second signal', { signal: name, abandoned: controller.pending });
        exitNow(EXIT.failed);
        return;
      }
      logger.info('Received signal', { signal: name });
      stop.abort(new Error(`received ${name}`));
      cleanup.use(
        clock.after(shutdownGraceMs, () => {
          logger.error('Exceeded shutdown grace', { shutdownGraceMs, abandoned: controller.pending });
          graceExceeded.resolve(EXIT.failed);
        }),
      );
    }),
  );
  const stopped = controller.run(stop.signal).then(
    (): ExitCode => EXIT.ok,
    (err: unknown): ExitCode => {
      logger.error('Controller failed', { err });
      return isBadConfig(err) ? EXIT.usage : EXIT.failed;
    },
  );
  return await Promise.race([stopped, graceExceeded.promise]);
}

/** Some of the configuration, a kubeconfig for example, is understood only by the adapter that reads it. */
function isBadConfig(err: unknown): boolean {
  return err instanceof Error && 'code' in err && err.code === 'BAD_CONFIG';
}
