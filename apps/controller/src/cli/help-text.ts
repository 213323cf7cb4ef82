import {
  environmentVariableOf,
  flagOf,
  formatValue,
  OPTION_KEYS,
  OPTIONS,
  type OptionKey,
} from '../config/config-options.ts';
import { EXIT, EXIT_MEANINGS } from '../exit-code.ts';
import { COMMANDS } from './commands.ts';
import { flagUsage, usageOf } from './help.ts';

/** What `reattach --help` prints. */
export function helpText(): string {
  const options = OPTION_KEYS.map((key) => {
    const { type, required, safe, description } = OPTIONS[key];
    const fallback = required ? 'required' : (defaultOf(key) ?? 'none');
    const range = safe ? ` Safe: ${safeRange(safe)}.` : '';
    return `  ${flagOf(key)} <${type.label}>  [${environmentVariableOf(key)}; default: ${fallback}]\n      ${plain(description)}${range}`;
  });
  const width = Math.max(...COMMANDS.map((command) => usageOf(command).length));
  const commands = COMMANDS.map(
    (command) => `  ${usageOf(command).padEnd(width)}  ${plain(command.summary)}`,
  );
  const codes = EXIT_NAMES.map((name) => `  ${EXIT[name]}  ${plain(EXIT_MEANINGS[name])}`);
  return [
    'Gets stateful workloads off a dead node in seconds, never with two writers.',
    '',
    'Usage:',
    `  ${'reattach [run] [flags]'.padEnd(width)}  Run the controller.`,
    ...commands,
    '',
    'reattach <command> --help tells of its flags. These are known to all commands; each is a flag, an environment variable, or a',
    'key of the YAML file, in this order of precedence:',
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

const EXIT_NAMES = ['ok', 'failed', 'usage', 'attention'] as const satisfies readonly (keyof typeof EXIT)[];

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
  const rows = OPTION_KEYS.map((key) => {
    const { type, required, safe, description } = OPTIONS[key];
    const value = defaultOf(key);
    const fallback = required ? '**required**' : value === undefined ? '' : `\`${value}\``;
    const range = safe ? ` Safe: ${safeRange(safe)} (${safe.because}).` : '';
    const names = `\`${key}\`<br>\`${flagOf(key)}\`<br>\`${environmentVariableOf(key)}\``;
    return `| ${names} | ${type.label} | ${fallback} | ${description}${range} |`;
  });
  return [
    '| Key, flag, environment variable | Type | Default | Meaning |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function defaultOf(key: OptionKey): string | undefined {
  const value = OPTIONS[key].default;
  return value === undefined ? undefined : formatValue(key, value);
}

function safeRange({ atLeast, atMost }: { readonly atLeast: number; readonly atMost?: number }): string {
  return atMost === undefined ? `at least ${atLeast}` : `${atLeast} to ${atMost}`;
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}
