import tseslint from 'typescript-eslint';
import importX from 'eslint-plugin-import-x';

/** What each room of src/ may import from, besides itself: imports point downwards only (docs/architecture.md). */
const mayImport = {
  model: [],
  marshal: ['model'],
  codegen: ['model', 'marshal'],
  exec: ['model'],
  cache: ['model'],
  engine: ['model', 'cache', 'exec'],
  cpython: ['model', 'exec'],
  hosts: ['model', 'marshal', 'codegen', 'exec', 'cache', 'engine', 'cpython'],
  watch: ['model', 'exec', 'engine', 'hosts'],
  release: ['model', 'exec', 'cache', 'engine', 'cpython', 'hosts'],
  report: ['model', 'engine'],
  cli: [
    'model',
    'exec',
    'cache',
    'engine',
    'cpython',
    'hosts',
    'watch',
    'release',
    'report',
    'codegen',
    'marshal',
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
