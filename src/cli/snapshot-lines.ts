import type {SnapshotContents} from '../hosts/snapshot/snapshot-contents.js';
import {comparedAtStart, type SnapshotExamination} from '../inspect/snapshot-examination.js';
import type {Product} from '../report/reporter.js';
import {count, duration, size} from '../report/wording.js';

/** What `doctor` says of a snapshot: what is in it, what is left out and what that costs, and what a start compares. */
export function snapshotLines({contents, state, changed}: SnapshotExamination): readonly Product[] {
  const {modules, leftOut, importers, milliseconds, calledAs, files, variables, facts} = contents;
  const holds = `${count(modules.length, 'module')}, ${size(contents.size)}`;
  const use = state === 'restored' ? 'used by a start here' : `not used by a start here: ${state}`;
  const cost = milliseconds === null ? '' : `, ${duration(milliseconds)} when it was made`;
  const others =
    leftOut.length === 0
      ? []
      : [`left out, imported by each start that needs them${cost}:`, ...leftOut.map(leftOutLine)];
  const text = [
    `snapshot: ${holds}, made for ${calledAs}, ${use}`,
    ...changed.map((path) => `  changed: ${path}`),
    `  a start compares: ${comparedAtStart(contents).join('; ')}`,
    ...others.map((line) => `  ${line}`),
    ...(importers.length === 0 ? [] : [`  and what imports them: ${importers.join(', ')}`]),
  ];
  return [
    {
      text: text.join('\n'),
      hasLines: true,
      record: {
        ...{
          type: 'snapshot',
          calledAs,
          state,
          bytes: contents.size,
          modules,
          leftOut,
          importers,
          milliseconds,
        },
        ...{changed, files: files.length, variables: variables.map(({name}) => name)},
        facts: facts.map(({name}) => name),
      },
    },
  ];
}

function leftOutLine({module, where, reason}: SnapshotContents['leftOut'][number]): string {
  return `  ${module}${where === undefined ? '' : ` (${where})`}: ${reason}`;
}
