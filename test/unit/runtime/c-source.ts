/** The runtime's C as text: enough of a reader for tests on how its files hang together. */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

export const RUNTIME = join(import.meta.dirname, '../../../src/runtime');
export const LAYOUTS = join(import.meta.dirname, '../../../src/codegen/layouts');

/** The runtime's files with an extension, by their path below its folder. */
export function runtimeFiles(extension: '.c' | '.h'): ReadonlyMap<string, string> {
  const names = readdirSync(RUNTIME, {recursive: true, encoding: 'utf8'}).filter((name) =>
    name.endsWith(extension),
  );
  return new Map(names.sort().map((name) => [name, readFileSync(join(RUNTIME, name), 'utf8')]));
}

/** C without its comments. */
export const withoutComments = (text: string): string => text.replaceAll(/\/\*[^]*?\*\//g, ' ');

/** C without its comments and without what is in quotes. */
export const codeOf = (text: string): string =>
  withoutComments(text).replaceAll(/"(?:[^"\\\n]|\\.)*"/g, '""');

/** The functions and variables `ff_…` that a file defines for others. */
export function definedNames(text: string): readonly string[] {
  const code = codeOf(text);
  const functions = code.matchAll(/^(?!static\b|typedef\b|extern\b)\w[\w *]*?\b(ff_\w+)\([^;{]*\)\n\{/gm);
  const variables = code.matchAll(/^(?!static\b|typedef\b|extern\b)\w[\w *]*?\b(ff_\w+);/gm);
  return [...functions, ...variables].map((match) => match[1] ?? '');
}

/** All names `ff_…` in a file. */
export const mentionedNames = (text: string): ReadonlySet<string> =>
  new Set(codeOf(text).match(/\bff_\w+/g) ?? []);
