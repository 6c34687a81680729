/**
 * Which test files run when. `npm test` runs the parts of the quick tier, `npm run test:all` every part, in this order.
 * A part is one run of jest.
 *
 * - `files`: test files, or directories of them, relative to the checkout
 * - `parallel`: on all cores; otherwise one file at a time, because the files share build directories
 * - `takesUnnamed`: test files that no part names run here, too
 * - `environment`: variables that narrow what the files do; where a file belongs to two parts, these divide it
 *
 * @typedef {{
 *   readonly name: string,
 *   readonly tier: 'quick' | 'full',
 *   readonly parallel: boolean,
 *   readonly files: readonly string[],
 *   readonly takesUnnamed?: boolean,
 *   readonly environment?: Readonly<Record<string, string>>,
 * }} Part
 * @type {readonly Part[]}
 */
export const PARTS = [
  {name: 'unit tests', tier: 'quick', parallel: true, files: ['test/unit']},
  {
    name: 'the build of npm start',
    tier: 'quick',
    parallel: false,
    files: ['test/e2e/demonstration.test.ts'],
  },
  // After that build, of which it takes the objects.
  {name: 'Makefile.inc', tier: 'quick', parallel: false, files: ['test/e2e/make.test.ts']},
  {
    name: 'one installed Python',
    tier: 'quick',
    parallel: true,
    files: [
      'test/e2e/relink.test.ts',
      'test/e2e/overlay.test.ts',
      'test/e2e/examples.test.ts',
      'test/layouts',
    ],
    environment: {FLASHFREEZE_TEST_PYTHONS: 'newest'},
  },
  {
    name: 'programs of chance',
    tier: 'full',
    parallel: true,
    files: ['test/fuzz'],
    environment: {FLASHFREEZE_TEST_PYTHONS: 'newest'},
  },
  {
    name: 'the other installed Pythons',
    tier: 'full',
    parallel: true,
    files: ['test/e2e/relink.test.ts', 'test/e2e/overlay.test.ts', 'test/layouts'],
    environment: {FLASHFREEZE_TEST_PYTHONS: 'others'},
  },
  {
    name: 'installed Pythons',
    tier: 'full',
    parallel: true,
    files: [
      'test/e2e/api.test.ts',
      'test/e2e/collector.test.ts',
      'test/e2e/fast-exit.test.ts',
      'test/e2e/command-line.test.ts',
      'test/e2e/discovery.test.ts',
      'test/e2e/doctor.test.ts',
      'test/e2e/dry-run-code.test.ts',
      'test/e2e/edited-generator.test.ts',
      'test/e2e/explain.test.ts',
      'test/e2e/found-configuration.test.ts',
      'test/e2e/graft.test.ts',
      'test/e2e/graft-obstacles.test.ts',
      'test/e2e/greenlets.test.ts',
      'test/e2e/import-guards.test.ts',
      'test/e2e/wrong-image.test.ts',
      'test/e2e/expressions.test.ts',
      'test/e2e/idle-run.test.ts',
      'test/e2e/make-obstacles.test.ts',
      'test/e2e/odd-arguments.test.ts',
      'test/e2e/odd-state.test.ts',
      'test/e2e/overlay-forms.test.ts',
      'test/e2e/package.test.ts',
      'test/e2e/places.test.ts',
      'test/e2e/precedence.test.ts',
      'test/e2e/private-sources.test.ts',
      'test/e2e/programs.test.ts',
      'test/e2e/release.test.ts',
      'test/e2e/refused-modules.test.ts',
      'test/e2e/relink-forms.test.ts',
      'test/e2e/remote-cache.test.ts',
      'test/e2e/secrets.test.ts',
      'test/e2e/signals.test.ts',
      'test/e2e/snippets.test.ts',
      'test/e2e/strict-traces.test.ts',
      'test/e2e/try.test.ts',
      'test/e2e/two-users.test.ts',
      'test/e2e/watch.test.ts',
      'test/e2e/watch-starts.test.ts',
      'test/endurance',
      'test/fidelity',
    ],
  },
  {
    name: 'builds of CPython, other Debians and Bazel',
    tier: 'full',
    parallel: false,
    takesUnnamed: true,
    files: [
      'test/e2e/bad-input.test.ts',
      'test/e2e/source.test.ts',
      'test/e2e/library-under-edit.test.ts',
      'test/conformance',
      'test/e2e/fallbacks.test.ts',
      'test/e2e/make-places.test.ts',
      'test/e2e/shared.test.ts',
      'test/e2e/builtin-extensions.test.ts',
      'test/e2e/installation.test.ts',
      'test/e2e/lto.test.ts',
      'test/e2e/bench.test.ts',
      'test/e2e/debian-root.test.ts',
      'test/e2e/aarch64.test.ts',
      'test/e2e/bazel.test.ts',
      'test/e2e/bazel-cache.test.ts',
      'test/e2e/grpc-cache.test.ts',
      'test/e2e/remote-execution.test.ts',
      'test/e2e/rules-python.test.ts',
    ],
  },
];
