import { MODES, OTHER_DRIVERS, STRATEGIES } from '@reattach/core';
import { ALL_OPTIONS } from '../config/all-options.ts';
import { flagOf } from '../config/option.ts';
import { EXIT } from '../exit-code.ts';
import { usageError } from './cli-error.ts';
import type { Command } from './command.ts';
import { LIVE_NAMES, liveNames } from './live-names.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

type Shell = (typeof SHELLS)[number];

/** @param commands all there are, this one included. */
export function completionCommand(commands: () => readonly Command[]): Command {
  return {
    name: 'completion',
    args: ['<bash|zsh|fish>'],
    summary:
      'Print a completion script: `source <(reattach completion bash)`; fish: `reattach completion fish | source`. It offers commands, flags, their values, and the names that the running controller knows (`reattach completion names`).',
    flags: [],
    async run(call, io) {
      const [given] = call.args;
      const kind = LIVE_NAMES.find((name) => name === given);
      if (kind) {
        io.stdout((await liveNames(kind, call, io)).map((name) => `${name}\n`).join(''));
        return EXIT.ok;
      }
      const shell = SHELLS.find((name) => name === given);
      if (!shell)
        throw usageError(`Expected bash, zsh or fish after completion, got ${JSON.stringify(given)}`);
      io.stdout(SCRIPTS[shell](commands()));
      return EXIT.ok;
    },
  };
}

const CONFIG_FLAGS: readonly string[] = [...ALL_OPTIONS.keys()].map(flagOf);

/** Both names of a short flag. */
function flagNames({ flags }: Command): readonly string[] {
  return flags.flatMap(({ name, short }) => (short === undefined ? [name] : [name, short]));
}

const SCRIPTS: { readonly [S in Shell]: (commands: readonly Command[]) => string } = {
  bash: (commands) => bash(commands),
  zsh: (commands) => `#compdef reattach\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`,
  fish,
};

function bash(commands: readonly Command[]): string {
  const cases = commands.map(
    (command) =>
      `    ${command.name}) words="${[...shellWords(command), ...flagNames(command)].join(' ')}" ;;`,
  );
  return `# reattach completion
_reattach() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words
  if [[ $current == = ]]; then current=""; previous="=" ; COMP_CWORD=$((COMP_CWORD+1)); fi
  if [[ $previous == = ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')} --help --version" -- "$current"))
    return
  fi
  case "$previous" in
${choiceCases(commands)}
    --backend) COMPREPLY=($(compgen -W "$(reattach completion backends 2>/dev/null)" -- "$current")); return ;;
    --node) COMPREPLY=($(compgen -W "$(reattach completion nodes 2>/dev/null)" -- "$current")); return ;;
  esac
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  if [[ $current == -* ]]; then words="$words --help ${CONFIG_FLAGS.join(' ')}"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _reattach reattach
`;
}

/** The values of an argument: those it takes, or a command that prints the live ones. */
function shellWords({ name }: Command): readonly string[] {
  if (name === 'completion') return SHELLS;
  if (name === 'explain') return ['$(reattach completion names 2>/dev/null)'];
  return name === 'fence' || name === 'unfence' ? ['$(reattach completion nodes 2>/dev/null)'] : [];
}

/** Options of the configuration that take one of some words. */
const OPTION_CHOICES: readonly (readonly [string, readonly string[]])[] = [
  ['mode', MODES],
  ['strategy', STRATEGIES],
  ['otherDrivers', OTHER_DRIVERS],
];

function choiceCases(commands: readonly Command[]): string {
  const ofOptions = OPTION_CHOICES.map(([key, values]) => [flagOf(key), values] as const);
  const choices = new Map([
    ...ofOptions,
    ...commands.flatMap(({ flags }) =>
      flags.flatMap((flag) =>
        flag.choices
          ? [
              [
                [flag.name, ...(flag.short === undefined ? [] : [flag.short])].join('|'),
                flag.choices,
              ] as const,
            ]
          : [],
      ),
    ),
  ]);
  return [...choices]
    .map(
      ([names, values]) =>
        `    ${names}) COMPREPLY=($(compgen -W "${values.join(' ')}" -- "$current")); return ;;`,
    )
    .join('\n');
}

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => {
    const { name, summary, flags } = command;
    const within = `complete -c reattach -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c reattach -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
      ...shellWords(command).map(
        (word) => `${within} -a ${word.startsWith('$') ? quoted(word.slice(1)) : word}`,
      ),
      ...flags.map((flag) => {
        const short = flag.short === undefined ? '' : ` -s ${flag.short.slice(1)}`;
        const value =
          flag.value === undefined ? '' : flag.choices ? ` -x -a ${quoted(flag.choices.join(' '))}` : ' -x';
        return `${within} -l ${flag.name.slice(2)}${short}${value} -d ${quoted(flag.description)}`;
      }),
    ];
  });
  const words = new Map<string, string>(
    OPTION_CHOICES.map(([key, values]) => [flagOf(key), values.join(' ')]),
  );
  const config = CONFIG_FLAGS.map((name) => {
    const values = words.get(name);
    return `complete -c reattach -l ${name.slice(2)} ${values === undefined ? '-r' : `-x -a ${quoted(values)}`}`;
  });
  return ['# reattach completion', 'complete -c reattach -f', ...lines, ...config, ''].join('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll('`', '').replaceAll("'", String.raw`\'`)}'`;
}
