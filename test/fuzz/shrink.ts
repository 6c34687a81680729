/** Makes a program smaller as long as it differs in the same way. All candidates of a round are frozen together. */
import type {Target} from './freeze.js';
import {judge} from './judge.js';
import {type Program, sizeOf} from './program.js';

/** Rounds at most: each takes one build. */
const ROUNDS = 30;
/** More candidates than this take too long in one round. */
const CANDIDATES = 60;

export async function shrink(target: Target, program: Program, signature: string): Promise<Program> {
  let best = program;
  for (let round = 0; round < ROUNDS; round++) {
    const candidates = smaller(best)
      .filter((each) => sizeOf(each) < sizeOf(best))
      .sort((a, b) => sizeOf(a) - sizeOf(b));
    const verdicts = candidates.length === 0 ? [] : await judge(target, spread(candidates));
    // The beginning of the signature tells the part; the rest changes with the names in it.
    const alike = (found: string): boolean => found.split('|')[0] === signature.split('|')[0];
    const next = verdicts.find(({difference}) => difference !== undefined && alike(difference.signature));
    if (next === undefined) return best;
    best = next.program;
  }
  return best;
}

function spread<T>(all: readonly T[]): readonly T[] {
  if (all.length <= CANDIDATES) return all;
  const step = all.length / CANDIDATES;
  return all.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
}

/** The program without one thing, or without many of them. */
function smaller(program: Program): readonly Program[] {
  const {files, start, frozen, edits} = program;
  const without = <T>(list: readonly T[], at: number): readonly T[] => list.filter((_, i) => i !== at);
  const withStart = (changes: Partial<Program['start']>): Program => ({
    ...program,
    start: {...start, ...changes},
  });
  const withFiles = (next: Program['files']): Program => {
    const paths = new Set(next.map(({path}) => path));
    return {
      ...program,
      files: next,
      frozen: frozen.filter(({path}) => paths.has(path) || path.includes('alias')),
      edits: edits.filter(({path}) => paths.has(path)),
    };
  };
  const halves = <T>(list: readonly T[]): readonly (readonly T[])[] =>
    list.length < 2 ? [] : [list.slice(0, list.length / 2), list.slice(list.length / 2)];
  return [
    ...files.map((_, at) => withFiles(without(files, at))),
    ...halves(files).map(withFiles),
    ...halves(start.statements).map((statements) => withStart({statements})),
    ...start.statements.map((_, at) => withStart({statements: without(start.statements, at)})),
    ...start.path.map((_, at) => withStart({path: without(start.path, at)})),
    ...start.site.map((_, at) => withStart({site: without(start.site, at)})),
    ...(start.site.length > 0 ? [withStart({site: [], path: start.site})] : []),
    withStart({flags: []}),
    withStart({environment: {}}),
    withStart({form: 'script'}),
    ...edits.map((_, at) => ({...program, edits: without(edits, at)})),
    ...frozen.map((_, at) => ({...program, frozen: without(frozen, at)})),
    ...halves(frozen).map((half) => ({...program, frozen: half})),
    ...files.flatMap((file, at): readonly Program[] => {
      if (file.kind !== 'module') return [];
      const as = (changes: Partial<typeof file>): Program => ({
        ...program,
        files: files.with(at, {...file, ...changes}),
      });
      return [
        as({encoding: 'utf-8'}),
        as({bytecode: 'current'}),
        as({statements: []}),
        ...halves(file.statements).map((statements) => as({statements})),
        ...file.statements.map((_, i) => as({statements: without(file.statements, i)})),
      ];
    }),
  ];
}
