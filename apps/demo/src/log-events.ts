import type { LogLine } from '@reattach/sim-world';
import type { Timeline } from './timeline.ts';

/** Adds what the controller logs to the timeline: `decided` before it acts, `done` once the answer is there. */
export function addLogLine(line: LogLine, timeline: Timeline): void {
  const volume = text(line['persistentVolume']);
  const node = text(line['node']);
  const why = text(line['why']);
  switch (line.msg) {
    case 'Held release':
      return timeline.add('decided', `hold ${volume} on ${node} (${text(line['reason'])}): ${why}`);
    case 'Fenced node':
      return timeline.add('done', `fenced ${node} at the backend`);
    case 'Restored fence that was removed':
      return timeline.add('done', `put the fence of ${node} back: ${why}`);
    case 'Released stale attachment':
      return timeline.add('done', `released ${volume} from ${node} (${text(line['strategy'])}): ${why}`);
    case 'Unfenced node':
      return timeline.add('done', `unfenced ${node} at the backend: ${why}`);
    case 'Removed out-of-service taint':
      return timeline.add('done', `removed the out-of-service taint of ${node}: ${why}`);
    case 'Fence at storage backend was damaged':
      return timeline.add('seen', `the fence of ${node} was damaged: ${text(line['damage'])}`);
    default:
      if (line.level === 'error')
        timeline.add(
          'error',
          [line.msg, line['err'] && JSON.stringify(line['err'])].filter(Boolean).join(' '),
        );
  }
}

function text(field: unknown): string {
  return typeof field === 'string' ? field : '';
}
