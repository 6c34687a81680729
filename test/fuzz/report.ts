/** What was found, for people. */
import type {Difference} from './compare.js';
import type {Program} from './program.js';

/** A reproduction in words: the files, the command, and what differs. */
export function reproduction(program: Program, {part, original, frozen}: Difference): string {
  const {start, files} = program;
  const indent = (text: string): string => text.replaceAll(/^/gm, '    ');
  return [
    `## ${program.name}`,
    ...files.map((file) => {
      if (file.kind === 'link') return `${file.path} -> ${file.to}`;
      if (file.kind === 'data') return `${file.path}: data`;
      const isFrozen = program.frozen.some(({path}) => path === file.path) ? '' : ', not frozen';
      return `${file.path} (${file.encoding}, bytecode ${file.bytecode}${isFrozen}):\n${indent(file.statements.join('\n'))}`;
    }),
    ...program.edits.map(({path, how}) => `after the build: ${how} ${path}`),
    `started as ${start.form} ${start.form === 'module' ? start.module : ''} ${[...start.flags].join(' ')}, path ${JSON.stringify(start.path)}, site ${JSON.stringify(start.site)}, environment ${JSON.stringify(start.environment)}:`,
    indent(start.statements.join('\n')),
    `${part}, original:\n${indent(original)}`,
    `${part}, frozen:\n${indent(frozen)}`,
    '',
  ].join('\n');
}
