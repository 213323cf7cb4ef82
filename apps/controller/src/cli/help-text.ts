import { ALL_OPTIONS } from '../config/all-options.ts';
import { defaultOf, environmentVariableOf, flagOf, type Option, safeRangeOf } from '../config/option.ts';
import { EXIT, EXIT_MEANINGS } from '../exit-code.ts';
import { COMMANDS } from './commands.ts';
import { flagUsage, usageOf } from './help.ts';

/** What `reattach --help` prints. */
export function helpText(): string {
  const options = [...ALL_OPTIONS].map(([key, option]) => {
    const fallback = option.required ? 'required' : (defaultOf(option) ?? 'none');
    const range = safeRangeOf(option);
    const safe = range === undefined ? '' : ` Safe: ${range}.`;
    return `  ${flagOf(key)} <${option.type.label}>  [${environmentVariableOf(key)}; default: ${fallback}]\n      ${plain(option.description)}${safe}`;
  });
  const width = Math.max(...COMMANDS.map((command) => usageOf(command).length));
  const commands = COMMANDS.map(
    (command) => `  ${usageOf(command).padEnd(width)}  ${plain(command.summary)}`,
  );
  const codes = EXIT_NAMES.map((name) => `  ${EXIT[name]}  ${plain(EXIT_MEANINGS[name])}`);
  return [
    'Moves stateful workloads off a dead node in seconds, never with two writers.',
    '',
    'Usage:',
    `  ${'reattach [run] [flags]'.padEnd(width)}  Run the controller.`,
    ...commands,
    '',
    'reattach <command> --help lists the flags of a command. Every command also accepts the options below; each is a flag, an',
    'environment variable, or a key of the YAML file, in this order of precedence:',
    '',
    ...options,
    '  --help     Prints this text.',
    '  --version  Prints the version.',
    '',
    'Exit codes:',
    ...codes,
    '',
  ].join('\n');
}

const EXIT_NAMES = [
  'ok',
  'failed',
  'usage',
  'attention',
  'notFound',
] as const satisfies readonly (keyof typeof EXIT)[];

/** Commands table of the README, which a test compares. */
export function commandsTable(): string {
  const rows = COMMANDS.map((command) => {
    const flags = command.flags.map((flag) => `\`${flagUsage(flag)}\`: ${flag.description}`);
    const cells = [`\`${usageOf(command)}\``, command.summary, flags.join('<br>')];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| Command | What it does | Flags |', '|---|---|---|', ...rows].join('\n');
}

/** Exit codes of the README, which a test compares. */
export function exitCodesTable(): string {
  const rows = EXIT_NAMES.map((name) => `| ${EXIT[name]} | ${EXIT_MEANINGS[name]} |`);
  return ['| Code | Meaning |', '|---|---|', ...rows].join('\n');
}

/** Options table of the README, which a test compares. */
export function optionsTable(): string {
  const rows = [...ALL_OPTIONS].map(([key, option]) => {
    const names = `\`${key}\`<br>\`${flagOf(key)}\`<br>\`${environmentVariableOf(key)}\``;
    return `| ${names} | ${option.type.label} | ${defaultCell(option)} | ${option.description}${safeNote(option)} |`;
  });
  return [
    '| Key, flag, environment variable | Type | Default | Meaning |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function defaultCell(option: Option): string {
  const value = defaultOf(option);
  if (option.required) return '**required**';
  return value === undefined ? '' : `\`${value}\``;
}

function safeNote(option: Option): string {
  return option.safe ? ` Safe: ${safeRangeOf(option)} (${option.safe.because}).` : '';
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}
