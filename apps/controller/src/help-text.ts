import {
  environmentVariableOf,
  flagOf,
  formatValue,
  OPTION_KEYS,
  OPTIONS,
  type OptionKey,
} from './config-options.ts';

/** What `reattach --help` prints. */
export function helpText(): string {
  const options = OPTION_KEYS.map((key) => {
    const { type, required, safe, description } = OPTIONS[key];
    const fallback = required ? 'required' : (defaultOf(key) ?? 'none');
    const range = safe ? ` Safe: ${safeRange(safe)}.` : '';
    return `  ${flagOf(key)} <${type.label}>  [${environmentVariableOf(key)}; default: ${fallback}]\n      ${plain(description)}${range}`;
  });
  return [
    'Usage: reattach [run] [flags]             run the controller',
    '       reattach doctor [--json] [flags]   check cluster, permissions and box, and print what mends what is missing',
    '       reattach doctor --probe [flags]    print a script that settles what nobody has published about RouterOS',
    '',
    'Gets stateful workloads off a dead node in seconds, never with two writers.',
    '',
    'Each option is a flag, an environment variable, or a key of the YAML file, in this order of precedence.',
    '',
    ...options,
    '  --help     Prints this text.',
    '  --version  Prints the version.',
    '',
    'Exit codes: 0 clean stop, or nothing the doctor found failed; 1 failure at run time, shutdownGraceMs ran out, or a check failed; 2 bad configuration.',
    '',
  ].join('\n');
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
