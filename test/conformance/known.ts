import type {Known} from '../support/compare-suites.js';

/** `build-details.json` of a Python (3.14 and later) names the executable that was installed; what is made from it is another one. */
const ANOTHER_EXECUTABLE =
  'asserts that sys.executable is the base interpreter that build-details.json names';
const BASE_INTERPRETER = 'test.test_build_details.CPythonBuildDetailsTests.test_base_interpreter';

/** gdb loads `python-gdb.py` for an executable of that name. */
const ANOTHER_NAME =
  "needs the commands that gdb loads for a file named python, and a snapshot's file has another name";
const GDB_COMMANDS = ['test_down_at_bottom', 'test_up_at_top'].map(
  (name) => [name, `test.test_gdb.test_misc.StackNavigationTests.${name}`] as const,
);

/** Tests of CPython that assert what freezing changes on purpose, each with its reason. */
export const KNOWN: readonly Known[] = [
  ...['test_build_details', BASE_INTERPRETER, `test_base_interpreter (${BASE_INTERPRETER})`].map((name) => ({
    name,
    reason: ANOTHER_EXECUTABLE,
  })),
  ...['test.test_gdb.test_misc', ...GDB_COMMANDS.flatMap(([name, full]) => [full, `${name} (${full})`])].map(
    (name) => ({name, reason: ANOTHER_NAME}),
  ),
];
