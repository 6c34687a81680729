import type {Known} from '../support/compare-suites.js';

/** `build-details.json` of a Python (3.14 and later) names the executable that was installed; what is made from it is another one. */
const ANOTHER_EXECUTABLE =
  'asserts that sys.executable is the base interpreter that build-details.json names';
const BASE_INTERPRETER = 'test.test_build_details.CPythonBuildDetailsTests.test_base_interpreter';

/** Tests of CPython that assert what freezing changes on purpose, each with its reason. */
export const KNOWN: readonly Known[] = [
  'test_build_details',
  BASE_INTERPRETER,
  `test_base_interpreter (${BASE_INTERPRETER})`,
].map((name) => ({name, reason: ANOTHER_EXECUTABLE}));
