import {
  generalOptions,
  type CompletedCommand,
  type CompletedOption,
  type Completions,
} from './completions.js';

/** A script for zsh: a function of its completion system, for a directory of `fpath` or to be sourced. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  return `#compdef flashfreeze
# Completion of flashfreeze for zsh: source <(flashfreeze completion zsh), after compinit
_flashfreeze() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C -S \\
${generalOptions()
  .map((option) => `    ${spec(option)} \\\n`)
  .join('')}    '1: :->command' \\
    '*:: :->rest'
  case $state in
    command)
      local -a commands=(
${commands.map(({name, summary}) => `        ${quoted(`${name}:${summary}`)}`).join('\n')}
      )
      _describe command commands
      ;;
    rest)
      case $line[1] in
${commands.map(branch).join('\n')}
      esac
      ;;
  esac
}

if [[ $funcstack[1] == _flashfreeze ]]; then _flashfreeze "$@"; else compdef _flashfreeze flashfreeze; fi
`;
}

function branch({name, word, options}: CompletedCommand): string {
  // Free text would be explained, and zsh would list options beside that instead of completing them.
  const last =
    word === undefined || word.completions === 'nothing'
      ? []
      : [quoted(`1:${word.name}:${action(word.completions)}`)];
  const all = [...options.map(spec), ...last];
  return `        ${name})
          _arguments -S \\
${all.map((each) => `            ${each}`).join(' \\\n')}
          ;;`;
}

/** One of what `_arguments` takes: zshcompsys(1). */
function spec({name, describe, value, isRepeatable, completions}: CompletedOption): string {
  const explained = `[${describe.replaceAll(/[[\]\\]/g, '\\$&')}]`;
  if (value === undefined && completions === 'nothing') return quoted(`${name}${explained}`);
  // The value of a flag may be left out, and has to stand in the same word.
  if (value === undefined) return quoted(`${name}=-${explained}::value:${action(completions)}`);
  return quoted(`${isRepeatable ? '*' : ''}${name}=${explained}:${message(value)}:${action(completions)}`);
}

function message(text: string): string {
  return text.replaceAll("'", '').replaceAll(':', '\\:');
}

function action(completions: Completions): string {
  switch (completions) {
    case 'files':
      return '_files';
    case 'directories':
      return '_files -/';
    case 'programs':
      return '{ [[ $PREFIX == */* ]] && _files || _command_names -e }';
    case 'nothing':
      return ' ';
    default:
      return `(${completions.join(' ')})`;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
