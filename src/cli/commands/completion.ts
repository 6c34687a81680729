import type {CommandEnd, Session} from '../command.js';
import {bashCompletion} from '../shells/bash-completion.js';
import {completedCommands} from '../shells/completions.js';
import {zshCompletion} from '../shells/zsh-completion.js';

/** `flashfreeze completion bash|zsh`: a script for the shell, of the tables that the parser reads, too. */
export function run({invocation, commands, product}: Session): Promise<CommandEnd> {
  const completed = completedCommands(commands);
  const script = invocation.word === 'zsh' ? zshCompletion(completed) : bashCompletion(completed);
  for (const text of script.trimEnd().split('\n')) product({text});
  return Promise.resolve({});
}
