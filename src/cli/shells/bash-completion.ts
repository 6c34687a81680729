import {
  allOptions,
  generalOptions,
  type CompletedCommand,
  type CompletedOption,
  type Completions,
} from './completions.js';

/**
 * A script for bash 4 and later. Names of files are left to readline (`compopt -o default`), which knows how to quote them.
 */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const valued = allOptions().filter(({value}) => value !== undefined);
  const flags = allOptions().filter(({value}) => value === undefined);
  return `# Completion of flashfreeze for bash: source <(flashfreeze completion bash)
_flashfreeze() {
    local current=\${COMP_WORDS[COMP_CWORD]} option= command= wants= i
    COMPREPLY=()
    # Readline splits words at =.
    if [[ $current == = ]]; then
        option=\${COMP_WORDS[COMP_CWORD - 1]} current=
    elif ((COMP_CWORD > 2)) && [[ \${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
        option=\${COMP_WORDS[COMP_CWORD - 2]}
    elif _flashfreeze_takes_value "\${COMP_WORDS[COMP_CWORD - 1]}"; then
        option=\${COMP_WORDS[COMP_CWORD - 1]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case \${COMP_WORDS[i]} in
            =) ((i++)) ;;
            -*)
                if _flashfreeze_takes_value "\${COMP_WORDS[i]}" && [[ \${COMP_WORDS[i + 1]} != = ]]; then ((i++)); fi
                ;;
            *)
                command=\${COMP_WORDS[i]}
                break
                ;;
        esac
    done
    if [[ -n $option ]]; then
        case $option in
${rows(
  [...valued, ...flags].map(({name, completions}) => [name, action(completions)]),
  12,
)}
        esac
    elif [[ $current == -* ]]; then
        case $command in
${rows(
  [
    ...commands.map(({name, options}): Row => [name, `wants='${names(options)}'`]),
    ['*', `wants='${names(generalOptions())}'`],
  ],
  12,
)}
        esac
    elif [[ -z $command ]]; then
        wants='${commands.map(({name}) => name).join(' ')}'
    else
        case $command in
${rows(
  commands.flatMap(({name, word}): Row[] => (word ? [[name, action(word.completions)]] : [])),
  12,
)}
        esac
    fi
    if [[ -n $wants ]]; then COMPREPLY=($(compgen -W "$wants" -- "$current")); fi
}

_flashfreeze_takes_value() {
    case $1 in
        ${valued.map(({name}) => name).join(' | ')}) return 0 ;;
    esac
    return 1
}

complete -F _flashfreeze flashfreeze
`;
}

type Row = readonly [pattern: string, action: string];

/** The branches of a `case`, one for each action. */
function rows(pairs: readonly Row[], indent: number): string {
  const patterns = new Map<string, string[]>();
  for (const [pattern, what] of pairs) patterns.set(what, [...(patterns.get(what) ?? []), pattern]);
  return [...patterns].map(([what, all]) => `${' '.repeat(indent)}${all.join(' | ')}) ${what} ;;`).join('\n');
}

function names(options: readonly CompletedOption[]): string {
  return options.map(({name}) => name).join(' ');
}

/** What makes bash offer these. It has `compopt` only while it completes. */
function action(completions: Completions): string {
  switch (completions) {
    case 'files':
      return 'compopt -o default';
    case 'directories':
      return 'compopt -o dirnames';
    case 'programs':
      return 'if [[ $current == */* ]]; then compopt -o default; else COMPREPLY=($(compgen -c -- "$current")); fi';
    case 'nothing':
      return ':';
    default:
      return `wants='${completions.join(' ')}'`;
  }
}
