import {
  BENCH_OPTIONS,
  COMMON_OPTIONS,
  DEMO_OPTIONS,
  GARBAGE_OPTIONS,
  INSTALLED_OPTIONS,
  PLACE_OPTIONS,
  RELEASE_OPTIONS,
  SELECTION_OPTIONS,
  SNAPSHOT_OPTIONS,
  VERIFY_OPTIONS,
  WATCH_OPTIONS,
} from './args/option-table.js';
import type {CommandSpec} from './command.js';

const NO_OUT = PLACE_OPTIONS.filter((name) => name !== 'out');

/** Every command, by its name. */
export const COMMANDS: Readonly<Record<string, CommandSpec>> = {
  build: {
    summary: 'build CPython, freeze modules, and link it again with them',
    options: [...PLACE_OPTIONS, ...SELECTION_OPTIONS, 'verify', ...COMMON_OPTIONS],
    yields: false,
    load: () => import('./commands/build.js'),
  },
  try: {
    summary: 'show what freezing a program would give: nothing is installed or changed',
    options: ['source', 'build-dir', 'configure-arg', ...COMMON_OPTIONS],
    word: {name: 'command', describe: 'the program, as one word', example: "'hg version'"},
    yields: true,
    load: () => import('./commands/try.js'),
  },
  relink: {
    summary: 'link a new executable from an installed Python, with frozen modules',
    options: [
      ...INSTALLED_OPTIONS,
      'method',
      'pie',
      'debug-info',
      ...SELECTION_OPTIONS,
      'verify',
      ...COMMON_OPTIONS,
    ],
    yields: false,
    load: () => import('./commands/relink.js'),
  },
  overlay: {
    summary: 'make frozen modules that an unmodified installed Python loads',
    options: [...INSTALLED_OPTIONS, ...SELECTION_OPTIONS, 'verify', ...COMMON_OPTIONS],
    yields: false,
    load: () => import('./commands/overlay.js'),
  },
  snapshot: {
    summary: 'build an interpreter that starts from memory, with its imports already done',
    options: [
      ...PLACE_OPTIONS.filter((name) => name !== 'pie' && name !== 'builtin-extensions'),
      ...SNAPSHOT_OPTIONS,
      ...SELECTION_OPTIONS,
      'verify',
      ...COMMON_OPTIONS,
    ],
    yields: false,
    load: () => import('./commands/snapshot-command.js'),
  },
  regen: {
    summary: 'update only the object files of the frozen modules',
    options: [...NO_OUT, 'assembler', ...SELECTION_OPTIONS, ...COMMON_OPTIONS],
    yields: false,
    load: () => import('./commands/regen.js'),
  },
  watch: {
    summary: 'run build, relink, overlay or snapshot, and rebuild whenever a frozen module is edited',
    options: [
      'python',
      'method',
      ...PLACE_OPTIONS,
      ...WATCH_OPTIONS,
      ...SNAPSHOT_OPTIONS,
      ...SELECTION_OPTIONS,
      'verify',
      ...COMMON_OPTIONS,
    ],
    word: {
      name: 'what',
      describe: 'build, relink, overlay or snapshot (default: relink with --python, else build)',
      completions: ['build', 'relink', 'overlay', 'snapshot'],
    },
    yields: false,
    load: () => import('./commands/watch.js'),
  },
  explain: {
    summary: 'explain what the last build did, and why',
    options: ['build-dir', 'python', 'source', 'out', ...COMMON_OPTIONS],
    word: {
      name: 'what',
      describe: 'a module, or an action such as generate:json.decoder (default: all that ran)',
    },
    yields: true,
    load: () => import('./commands/explain.js'),
  },
  graph: {
    summary: 'print the graph of the last build: its actions and their dependencies',
    options: ['build-dir', 'python', 'source', 'out', 'module', ...COMMON_OPTIONS],
    word: {
      name: 'format',
      describe: 'dot (the default), json, or svg (drawn by Graphviz)',
      completions: ['dot', 'json', 'svg'],
    },
    yields: true,
    load: () => import('./commands/graph.js'),
  },
  discover: {
    summary: 'list the modules that a build would freeze, for a CPython source tree or an installed Python',
    options: ['python', ...NO_OUT, ...SELECTION_OPTIONS, ...COMMON_OPTIONS],
    yields: true,
    load: () => import('./commands/discover.js'),
  },
  release: {
    summary: 'build a reproducible installation: archive, manifest, provenance',
    options: [...PLACE_OPTIONS, ...RELEASE_OPTIONS, ...SELECTION_OPTIONS, 'verify', ...COMMON_OPTIONS],
    yields: false,
    load: () => import('./commands/release.js'),
  },
  verify: {
    summary:
      'compare frozen modules with a fresh compile of their sources, or a release with a rebuild of it',
    options: [
      ...VERIFY_OPTIONS,
      'profile',
      'snapshot-at',
      ...NO_OUT,
      ...SELECTION_OPTIONS,
      ...COMMON_OPTIONS,
    ],
    word: {
      name: 'manifest',
      describe: 'the manifest of a release, which is rebuilt from --source',
      completions: 'files',
    },
    yields: true,
    load: () => import('./commands/verify.js'),
  },
  bench: {
    summary: 'measure the start-up of the new interpreter, compared with the same one without frozen modules',
    options: [...INSTALLED_OPTIONS, 'pie', 'debug-info', ...BENCH_OPTIONS, ...COMMON_OPTIONS],
    yields: true,
    load: () => import('./commands/bench.js'),
  },
  cache: {
    summary: 'manage the build cache',
    options: [...GARBAGE_OPTIONS, ...COMMON_OPTIONS],
    word: {
      name: 'task',
      describe: 'stats (show its content), gc (remove old results), verify (check every file), clear',
      choices: ['stats', 'gc', 'verify', 'clear'],
    },
    yields: true,
    load: () => import('./commands/cache.js'),
  },
  doctor: {
    summary: 'check this machine, or a frozen interpreter for modules that are stale, shadowed or unused',
    options: ['trace', ...COMMON_OPTIONS],
    word: {name: 'exe', describe: 'a frozen interpreter', completions: 'files'},
    yields: true,
    load: () => import('./commands/doctor.js'),
  },
  completion: {
    summary: 'print a script that completes command lines in a shell',
    options: COMMON_OPTIONS,
    word: {name: 'shell', describe: 'bash or zsh', choices: ['bash', 'zsh']},
    yields: true,
    load: () => import('./commands/completion.js'),
  },
  make: {
    summary: 'make images for the CPython that make is building (called by Makefile.inc)',
    options: ['build-dir', ...SELECTION_OPTIONS, 'verify', ...COMMON_OPTIONS],
    hidden: true,
    yields: false,
    load: () => import('./commands/make.js'),
  },
  demo: {
    summary: 'download a CPython, build it, verify it and measure it',
    options: [...DEMO_OPTIONS, ...COMMON_OPTIONS],
    hidden: true,
    yields: false,
    load: () => import('./commands/demo.js'),
  },
};
