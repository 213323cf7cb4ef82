import { type Context, type ContextManager, context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { RecordingTelemetry } from '../testing/recording-telemetry.ts';
import { AttachmentReconciler } from './attachment-reconciler.ts';
import type { PassResult } from './reconcile-pass.ts';

/** Every call is made in the context that was set last. */
class SetContext implements ContextManager {
  current: Context = ROOT_CONTEXT;
  active(): Context {
    return this.current;
  }
  with: ContextManager['with'] = (_context, fn, self, ...args) => fn.call(self as never, ...args);
  bind<T>(_context: Context, target: T): T {
    return target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    return this;
  }
}

describe('AttachmentReconciler: links of the span of a pass', () => {
  afterEach(() => context.disable());

  it('lead to the span that asked for it first, and to the pass that it goes on with', async () => {
    using telemetry = new RecordingTelemetry();
    const manager = new SetContext();
    context.setGlobalContextManager(manager);
    const inSpan = (name: string, run: () => void) => {
      manager.current = trace.setSpan(ROOT_CONTEXT, telemetry.startSpan(name));
      run();
      manager.current = ROOT_CONTEXT;
    };
    const clock = new FakeClock();
    let end = async (): Promise<PassResult> => ({ nextDeadlineMs: clock.now() + 1_000 });
    const reconciler = new AttachmentReconciler({ pass: { run: () => end() }, clock, random: () => 0.5 });
    inSpan('notice lost node', () => reconciler.triggerReconcile('node-deleted'));
    inSpan('notice another', () => reconciler.triggerReconcile('node-deleted'));
    await reconciler.start(new AbortController().signal);
    await clock.advance(1_000);
    end = () => Promise.reject(new Error('boom'));
    await clock.advance(1_000);
    await clock.advance(1_000);
    await reconciler.stop();
    const names = new Map(
      telemetry.spans.map(({ spanContext, name, attributes }) => [
        spanContext,
        attributes['reattach.reconcile.id'] ?? name,
      ]),
    );
    const passes = telemetry.spans.filter(({ name }) => name === 'reconcile attachments');
    const links = passes.map((pass) =>
      pass.links.map((link) => [names.get(link.context), link.attributes?.['reattach.trigger.reason']]),
    );
    expect(links).toEqual([
      [['notice lost node', 'node-deleted']],
      [['80000000-1', 'deadline']],
      [['80000000-2', 'deadline']],
      [['80000000-3', 'retry']],
    ]);
  });
});
