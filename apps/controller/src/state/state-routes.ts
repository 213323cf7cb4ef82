import { type Clock, MODES, type Mode } from '@reattach/core';
import type { StateReport } from '@reattach/status-page';
import { type HttpAnswer, type HttpRoute, jsonAnswer } from '../http/http-route.ts';
import { printable } from '../telemetry/printable.ts';
import type { AttachmentChoice } from './build-state-report.ts';

/** What the endpoints need. */
export interface StateRoutesOptions {
  /** @param mode decides as in this mode; absent: in the controller's own. */
  readonly report: (choice: AttachmentChoice, mode?: Mode) => StateReport;
  /** Asks for a pass. */
  readonly reconcile: () => void;
  readonly clock: Pick<Clock, 'now'>;
  /** Only a leader runs passes. */
  readonly leading: () => boolean;
  /** Name of the replica that leads, when it is known. */
  readonly leader?: () => string | undefined;
}

/** Shortest time between two requests for a pass over HTTP, ms: each pass reads every backend. */
const MIN_INTERVAL_MS = 1_000;

/** `/state`, and `/reconcile`, which asks for a pass. */
export function stateRoutes({
  report,
  reconcile,
  leading,
  leader,
  clock,
}: StateRoutesOptions): readonly HttpRoute[] {
  let askedAtMs = Number.NEGATIVE_INFINITY;
  return [
    {
      method: 'GET',
      path: '/state',
      answer(query) {
        const choice = query.get('attachments') ?? 'all';
        if (choice !== 'all' && choice !== 'lost') {
          return jsonAnswer(400, { error: 'Expected attachments=all or attachments=lost' });
        }
        const asked = query.get('mode');
        const mode = MODES.find((each) => each === asked);
        if (asked !== null && !mode)
          return jsonAnswer(400, { error: `Expected mode=${MODES.join(' or mode=')}` });
        return { status: 200, contentType: 'application/json', body: stateJson(report(choice, mode)) };
      },
    },
    {
      method: 'POST',
      path: '/reconcile',
      answer(): HttpAnswer {
        if (!leading()) {
          const name = leader?.() ?? 'not known';
          return jsonAnswer(409, {
            error: `This replica is a standby and runs no passes. The leader is ${name}`,
          });
        }
        const waitMs = askedAtMs + MIN_INTERVAL_MS - clock.now();
        if (waitMs > 0 && waitMs <= MIN_INTERVAL_MS) {
          const answer = jsonAnswer(429, { error: 'A pass was requested less than a second ago. Ask again' });
          return { ...answer, headers: { 'retry-after': '1' } };
        }
        askedAtMs = clock.now();
        reconcile();
        return jsonAnswer(202, { requested: true });
      },
    },
  ];
}

/** Backends and objects may hold text that would move a cursor or reverse a line. */
const printableTexts = (_name: string, value: unknown) =>
  typeof value === 'string' ? printable(value) : value;

/** Attachments turned into text at a time: some 2 ms. */
const SLICE = 500;

/** The report as JSON, in pieces: ten thousand attachments in one would keep everybody else waiting. */
export function* stateJson({ attachments, ...rest }: StateReport): Generator<string> {
  yield `${JSON.stringify(rest, printableTexts).slice(0, -1)},"attachments":[`;
  for (let from = 0; from < attachments.length; from += SLICE) {
    const slice = JSON.stringify(attachments.slice(from, from + SLICE), printableTexts).slice(1, -1);
    yield from === 0 ? slice : `,${slice}`;
  }
  yield ']}\n';
}
