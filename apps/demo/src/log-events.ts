import type { LogLine } from '@reattach/sim-world';
import type { Timeline } from './timeline.ts';

/** Adds a decision of the controller to the timeline, in the words of its log. */
export function addLogLine(line: LogLine, timeline: Timeline): void {
  const volume = text(line['persistentVolume']);
  const node = text(line['node']);
  const why = text(line['why']);
  switch (line.msg) {
    case 'Held release':
      return timeline.add('decided', `hold ${volume} on ${node} (${text(line['reason'])}): ${why}`);
    case 'Fenced node':
      return timeline.add('decided', `fence ${node} at the backend`);
    case 'Released stale attachment':
      return timeline.add('decided', `release ${volume} from ${node} (${text(line['strategy'])}): ${why}`);
    case 'Unfenced node':
      return timeline.add('decided', `unfence ${node} at the backend: ${why}`);
    case 'Removed out-of-service taint':
      return timeline.add('decided', `remove the out-of-service taint of ${node}: ${why}`);
    default:
      if (line.level === 'error') timeline.add('error', `${line.msg} ${JSON.stringify(line['err'] ?? '')}`);
  }
}

function text(field: unknown): string {
  return typeof field === 'string' ? field : '';
}
