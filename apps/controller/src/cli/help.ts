import type { Command, CommandFlag } from './command.ts';

/** `reattach explain <pvc|pv|node>` */
export function usageOf({ name, args }: Command): string {
  return ['reattach', name, ...args].join(' ');
}

/** `-o, --output <format>` */
export function flagUsage({ name, short, value }: CommandFlag): string {
  return `${short === undefined ? '' : `${short}, `}${name}${value === undefined ? '' : ` <${value}>`}`;
}

/** What `reattach <command> --help` prints. */
export function commandHelp(command: Command): string {
  const width = Math.max(0, ...command.flags.map((flag) => flagUsage(flag).length));
  return [
    `Usage: ${usageOf(command)} [flags]`,
    '',
    plain(command.summary),
    '',
    ...command.flags.map((flag) => `  ${flagUsage(flag).padEnd(width)}  ${describe(flag)}`),
    '',
    'All flags of the configuration work here too: see reattach --help.',
    '',
  ].join('\n');
}

function describe({ description, choices }: CommandFlag): string {
  return plain(choices ? `${description} One of ${choices.join(', ')}.` : description);
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}
