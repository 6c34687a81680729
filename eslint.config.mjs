import {join} from 'node:path';
import tseslint from 'typescript-eslint';
import imports from './scripts/eslint-imports.mjs';

/**
 * What each directory of src/ may import from, besides itself: imports point downwards only. docs/architecture.md has this
 * table (scripts/architecture.mjs).
 */
export const mayImport = {
  model: [],
  fs: ['model'],
  marshal: ['model'],
  codegen: ['model', 'marshal'],
  exec: ['model', 'fs'],
  cache: ['model', 'fs'],
  engine: ['model', 'fs', 'cache', 'exec'],
  cpython: ['model', 'fs', 'exec'],
  pipeline: ['model', 'fs', 'marshal', 'codegen', 'exec', 'cache', 'engine', 'cpython'],
  hosts: ['model', 'fs', 'codegen', 'exec', 'cache', 'engine', 'cpython', 'pipeline'],
  inspect: ['model', 'fs', 'exec', 'cache', 'cpython', 'pipeline', 'hosts'],
  release: ['model', 'fs', 'codegen', 'exec', 'engine', 'cpython', 'pipeline', 'hosts'],
  watch: ['model', 'fs', 'exec', 'engine', 'pipeline'],
  report: ['model', 'fs', 'engine'],
  api: ['model', 'fs', 'exec', 'pipeline', 'hosts', 'inspect'],
  cli: [
    'model',
    'fs',
    'marshal',
    'codegen',
    'exec',
    'cache',
    'engine',
    'cpython',
    'pipeline',
    'hosts',
    'inspect',
    'release',
    'watch',
    'report',
  ],
};

/** What a build reads outside of actions decides whether the next one has anything to do, so it goes through fs/recorded-fs.ts. */
const READS =
  /^(access|createReadStream|exists|lstat|open|opendir|readdir|readFile|readlink|realpath|stat)(Sync)?$/;
const unrecordedReads = ['node:fs', 'node:fs/promises'].map((name) => ({
  name,
  importNamePattern: READS.source,
  message: 'import it from fs/recorded-fs.ts',
}));

/** What deletes must not follow links: it is in one place. */
const REMOVES = '^(rm|rmdir|unlink)(Sync)?$';
const removals = {
  regex: '^(node:)?fs(/promises)?$',
  importNamePattern: REMOVES,
  message: 'import what removes from fs/removal.ts',
};

/** Opening a FIFO waits for its other end: whoever reads makes sure that there is a file. */
const READS_ALL = '^(readFile|createReadStream)(Sync)?$';
const waitingReads = {
  regex: '^(node:)?fs(/promises)?$',
  importNamePattern: READS_ALL,
  message: 'import what reads files from fs/regular-file.ts, or from fs/recorded-fs.ts',
};

export default tseslint.config(
  {ignores: ['dist', 'node_modules', 'coverage', '.flashfreeze']},
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: './tsconfig.check.json',
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: {imports},
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', {allowNumber: true, allowBoolean: true}],
      '@typescript-eslint/no-non-null-assertion': 'error',
      'imports/no-cycle': 'error',
      'imports/may-import': ['error', {root: join(import.meta.dirname, 'src'), table: mayImport}],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/fs/removal.ts'],
    rules: {
      'no-restricted-imports': ['error', {patterns: [removals, waitingReads]}],
      'no-restricted-syntax': [
        'error',
        {selector: `MemberExpression[property.name=/${REMOVES}/]`, message: removals.message},
        {
          selector: 'ImportExpression[source.value=/^(node:)?fs(.promises)?$/]',
          message: 'import it at the top',
        },
      ],
    },
  },
  {
    // They read what the system made: /proc and /etc.
    files: ['fs/regular-file', 'fs/owners', 'exec/liveness'].map((file) => `src/${file}.ts`),
    rules: {'no-restricted-imports': ['error', {patterns: [removals]}]},
  },
  {
    // What benchmarks and tests share lies in support/.
    files: ['bench/**', 'support/**'],
    rules: {
      'imports/may-import': [
        'error',
        {root: import.meta.dirname, table: {bench: ['src', 'support', 'scripts'], support: ['src']}},
      ],
    },
  },
  {
    files: ['pipeline', 'hosts', 'cpython', 'cli/args']
      .map((directory) => `src/${directory}/**/*.ts`)
      .concat(
        ['exec/tools', 'fs/package-files', 'cache/remote/connect', 'cli/run'].map((file) => `src/${file}.ts`),
      ),
    // No build obtains sources; an answer lies in a file of the moment, of a process that is recorded itself.
    ignores: ['src/cpython/source/archives.ts', 'src/cpython/interpreter/answers.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            removals,
            ...unrecordedReads.map(({name, ...rest}) => ({group: [name], ...rest})),
            {
              group: ['**/fs/path-state.js'],
              importNamePattern: '^(stat|content)',
              message: 'import what reads from fs/recorded-fs.ts',
            },
          ],
        },
      ],
    },
  },
  {files: ['src/cli/**', 'src/report/**'], rules: {'no-console': 'off'}},
  {
    files: ['**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
    rules: {...tseslint.configs.disableTypeChecked.rules, 'no-console': 'off'},
  },
);
