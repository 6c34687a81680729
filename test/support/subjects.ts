/**
 * The interpreters that are judged: each frozen one beside the unmodified one that it has to behave like. Made with the
 * command line, in the tests' cache directory, of whatever Pythons this machine has.
 */
import {copyFileSync, cpSync, mkdirSync, realpathSync, rmSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {graftLibrary} from '../../src/hosts/installed/graft-host.js';
import {makeView} from '../conformance/view.js';
import {prepareTree} from '../../support/cpython-trees.js';
import {CACHE, PACKAGE, type Run, flashfreeze, run, withoutUsersVariables} from '../../support/rig.js';
import {NEWER_SERIES, runInRoot} from '../../support/debian-root.js';
import {
  SOURCE_VERSIONS,
  isInRoot,
  makeFrozen,
  makeInRoot,
  parseSubjectName,
  pythonOf,
  withoutMissing,
} from '../../support/frozen-pythons.js';
import {findPythons} from '../../support/pythons.js';
import type {Python, RunPython, Subject} from './subject.js';
import {prepareSnapshot} from './snapshot-subject.js';

/** The import closure of these is frozen where nothing else is asked for: what the scenarios of tests import. */
export const CLOSURE = [
  '--startup',
  '--trace',
  '-c "import asyncio, argparse, json, re, dataclasses, pathlib, subprocess, logging, typing, unittest.mock, http.client, ' +
    'email.message, email.parser, textwrap, gettext, inspect, ast, dis, tempfile, random, shutil, urllib.parse, datetime, ' +
    'calendar, string, difflib, pprint, selectors, ssl, csv, statistics, zipfile, multiprocessing"',
];

/** All of the standard library. */
export const STDLIB = ['--startup', '--stdlib'];

/**
 * Names of what can be made on this machine, without a look whether the root of a newer Debian can be built. Debian 13's
 * `graft-trixie-3.13` and `overlay-trixie-3.13` are not among them: they are prepared when they are named.
 */
export function subjectNames(): readonly string[] {
  return [
    ...SOURCE_VERSIONS.map((version) => `source-${version}`),
    ...findPythons().map(({series}) => `relink-${series}`),
    ...NEWER_SERIES.flatMap((series) => [`overlay-${series}`, `graft-${series}`]),
  ];
}

/**
 * The names that FLASHFREEZE_SUBJECTS asks for, or all, without those that this machine cannot have (and why, on standard
 * error).
 */
export function presentSubjects(): Promise<readonly string[]> {
  return chosenSubjects(process.env['FLASHFREEZE_SUBJECTS']);
}

/** The same for names in one text; all when there are none. */
export function chosenSubjects(text: string | undefined): Promise<readonly string[]> {
  const asked = (text ?? '').split(/[\s,]+/).filter((word) => word !== '');
  return withoutMissing(asked.length > 0 ? asked : subjectNames());
}

const HOSTS = ['source', 'snapshot', 'relink', 'graft', 'overlay'] as const;

type Installed = 'relink' | 'graft';

/** Builds the frozen interpreter of that name. Throws when that fails. */
export function prepareSubject(name: string, selection: readonly string[] = CLOSURE): Promise<Subject> {
  const parsed = parseSubjectName(name, HOSTS, subjectNames());
  const {kind: host, which} = parsed;
  if (host === 'source') return prepareSource(name, which, selection);
  if (host === 'snapshot') {
    return prepareSnapshot(name, {version: which, selection}, {localPython, tool: here.tool});
  }
  if (host === 'overlay' || isInRoot(parsed)) return prepareInRoot(host, name, which, selection);
  return prepareInstalled(host, {name, series: which}, selection);
}

/** An interpreter of this machine, in an environment without a variable of the user's. */
export function localPython(file: string): Python {
  return (args, options) => runLocally([file, ...args], options);
}

function runLocally(argv: readonly string[], options: RunPython = {}): Promise<Run> {
  const {environment = {}, cwd = '/', input, under = [], onOutput} = options;
  const [program = '', ...words] = [...under, ...argv];
  let seen = 0;
  return run(program, words, {
    cwd,
    environment: {...withoutUsersVariables(), LANG: 'C.UTF-8', LC_ALL: undefined, ...environment},
    ...(input === undefined ? {} : {input}),
    onOutput: (_, stdout) => {
      onOutput?.(stdout.slice(seen));
      seen = stdout.length;
    },
  });
}

const here = {tool: runLocally, flashfreeze};

async function prepareSource(name: string, version: string, selection: readonly string[]): Promise<Subject> {
  const {source, buildDir} = await prepareTree(version);
  await makeFrozen(['build', '--source', source, '--build-dir', buildDir, ...selection]);
  const series = version.split('.').slice(0, 2).join('.');
  const frozen = join(buildDir, 'cpython', 'python-frozen');
  return {
    ...{name, host: 'source', series, frozen, source, buildDir, ...here},
    python: {unmodified: localPython(join(buildDir, 'cpython', 'python')), frozen: localPython(frozen)},
    forTests: (side, folder) =>
      localPython(makeView(buildDir, series, side === 'frozen' ? 'stage2' : 'stage1', folder)),
  };
}

/** The name of a subject, and its series. */
interface Named {
  readonly name: string;
  readonly series: string;
}

/** The command that makes one of a host. */
const commandOf = (host: Installed | 'overlay'): readonly string[] =>
  host === 'overlay' ? ['overlay'] : ['relink', '--method', host === 'graft' ? 'graft' : 'link'];

async function prepareInstalled(
  host: Installed,
  {name, series}: Named,
  selection: readonly string[],
): Promise<Subject> {
  const unmodified = realpathSync(pythonOf(series));
  const buildDir = join(CACHE, 'builds', name);
  const frozen = join(CACHE, 'relinked', name, 'bin', `python${series}`);
  mkdirSync(dirname(frozen), {recursive: true});
  const places = ['--python', unmodified, '--out', frozen, '--build-dir', buildDir];
  await makeFrozen([...commandOf(host), ...places, ...selection]);
  return {
    ...{name, host, series, frozen, buildDir, ...here},
    python: {unmodified: localPython(unmodified), frozen: localPython(frozen)},
    forTests: (side, folder) => {
      // What is installed stays as it is: the tests run in a copy, which the interpreter finds by its own place.
      const prefix = dirname(dirname(unmodified));
      rmSync(folder, {recursive: true, force: true});
      // What this machine's .pth files import at start is no part of CPython: `threading`, imported early, lets a test
      // of subinterpreters hang in 3.11.
      const filter = (path: string): boolean => !path.endsWith('.pth');
      cpSync(prefix, folder, {recursive: true, verbatimSymlinks: true, preserveTimestamps: true, filter});
      const copy = join(folder, 'bin', basename(unmodified));
      if (side === 'frozen') {
        for (const [from, to] of filesOf(host, frozen, copy)) copyFileSync(from, to);
      }
      return localPython(copy);
    },
  };
}

/** The files of an executable, and where they belong beside a copy of it. A graft finds its library by the name of the first. */
function filesOf(host: Installed, frozen: string, copy: string): readonly (readonly [string, string])[] {
  if (host === 'relink') return ['', '.stamps'].map((ending) => [frozen + ending, copy + ending]);
  const library = graftLibrary(frozen);
  return [
    [frozen, copy],
    ...['', '.stamps'].map(
      (ending) => [library + ending, join(dirname(copy), basename(library)) + ending] as const,
    ),
  ];
}

async function prepareInRoot(
  host: Installed | 'overlay',
  name: string,
  which: string,
  selection: readonly string[],
): Promise<Subject> {
  const folder = join(CACHE, host === 'overlay' ? 'overlays' : 'relinked', name);
  const buildDir = join(CACHE, 'builds', name);
  mkdirSync(folder, {recursive: true});
  // A wrapper of an overlay has the name of its Python.
  const frozen = join(folder, 'bin', `python${which.replace(/^.*-/, '')}`);
  const out = host === 'overlay' ? folder : frozen;
  const {root, python, series} = await makeInRoot(commandOf(host), which, {out, buildDir}, selection);
  const inside = async (argv: readonly string[], options: RunPython = {}): Promise<Run> => {
    const folders = [folder, ...(options.cwd === undefined ? [] : [options.cwd]), ...(options.folders ?? [])];
    const done = await runInRoot(root, [...(options.under ?? []), ...argv], {
      binds: {
        ...Object.fromEntries(folders.map((each) => [each, 'write' as const])),
        [PACKAGE]: 'read',
        [CACHE]: 'write',
      },
      environment: options.environment ?? {},
      ...(options.cwd === undefined ? {} : {cwd: options.cwd}),
      ...(options.input === undefined ? {} : {input: options.input}),
      ...(options.onOutput === undefined ? {} : {onOutput: options.onOutput}),
    });
    if (!done.ok) throw new Error(done.failure.message);
    return {exitCode: done.value.exitCode, stdout: done.value.stdout, stderr: done.value.stderr};
  };
  const pythons = {
    unmodified: (args: readonly string[], options?: RunPython) => inside([python, ...args], options),
    frozen: (args: readonly string[], options?: RunPython) => inside([frozen, ...args], options),
  };
  return {
    ...{name, host, series, frozen, buildDir, tool: inside},
    flashfreeze: (args) => inside(['node', join(PACKAGE, 'bin/flashfreeze.mjs'), ...args]),
    python: pythons,
    forTests: (side) => pythons[side],
  };
}
