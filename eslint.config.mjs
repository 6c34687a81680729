import tseslint from 'typescript-eslint';
import importX from 'eslint-plugin-import-x';

/** What each room of src/ may import from, besides itself: imports point downwards only (docs/architecture.md). */
const mayImport = {
  model: [],
  fs: ['model'],
  marshal: ['model'],
  codegen: ['model', 'marshal'],
  exec: ['model'],
  cache: ['model', 'fs'],
  engine: ['model', 'fs', 'cache', 'exec'],
  cpython: ['model', 'fs', 'exec'],
  pipeline: ['model', 'fs', 'marshal', 'codegen', 'exec', 'cache', 'engine', 'cpython'],
  hosts: ['model', 'fs', 'codegen', 'exec', 'cache', 'engine', 'cpython', 'pipeline'],
  inspect: ['model', 'fs', 'exec', 'cache', 'cpython', 'pipeline', 'hosts'],
  release: ['model', 'fs', 'exec', 'engine', 'cpython', 'pipeline', 'hosts'],
  watch: ['model', 'exec', 'engine', 'pipeline'],
  report: ['model', 'engine'],
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
const rooms = Object.keys(mayImport);

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
    plugins: {'import-x': importX},
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', {allowNumber: true, allowBoolean: true}],
      '@typescript-eslint/no-non-null-assertion': 'error',
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': [
        'error',
        {
          basePath: import.meta.dirname,
          zones: rooms.map((room) => ({
            target: `./src/${room}`,
            from: './src',
            except: [room, ...mayImport[room]].map((name) => `./${name}`),
            message: `src/${room} may import only from: ${mayImport[room].join(', ') || 'nothing'}`,
          })),
        },
      ],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {files: ['src/cli/**', 'src/report/**'], rules: {'no-console': 'off'}},
  {
    files: ['**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
    rules: {...tseslint.configs.disableTypeChecked.rules, 'no-console': 'off'},
  },
);
