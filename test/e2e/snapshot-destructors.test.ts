/** Destructors of held libraries: those that are seen run as without a snapshot, and those that only give back memory do not take the time of each end. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {type ExtensionRig, extensionRig, moduleSource} from '../support/extension-rig.js';
import {SYSTEM_PYTHON, hasLinkablePython} from '../support/linkable-python.js';
import {STATE} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(30 * 60_000);
const folder = temporaryDirectory('snapshot-destructors');
const out = join(folder, 'bin', 'python');
let rig: ExtensionRig;

const LIBRARY = `#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>
#include <unistd.h>
static void say(const std::string &text) { if (write(1, text.data(), text.size()) < 0) abort(); }

struct Reports { std::vector<int> values; ~Reports() { if (!values.empty()) say("values " + std::to_string(values.size()) + "\\n"); } };
static Reports quiet, used;
struct Loud { ~Loud() { say("loud\\n"); } };
static Loud loud;
static std::map<int, std::string> large;
struct Fills { Fills() { for (int i = 0; i < 300000; i++) large[i] = std::string(40, 'x'); } };
static Fills fills;
struct Log {
    FILE **file = (FILE **)calloc(1, sizeof(FILE *));
    ~Log() { if (*file != nullptr) fclose(*file); free(file); }
};
static Log log_file;
struct Hidden {
    struct State { long first[5]; std::vector<int> values; } *state = new State();
    ~Hidden() { if (!state->values.empty()) say("hidden\\n"); delete state; }
};
static Hidden hidden;
static int counted;
static void at_exit() { say("counted " + std::to_string(counted) + "\\n"); }
struct Registers { Registers() { atexit(at_exit); } };
static Registers registers;
static const std::vector<int> &late(int first) { static Reports own; own.values.push_back(first); return own.values; }
static PyObject *act(const char *how) {
    std::string what(how);
    if (what == "use") used.values.push_back(3);
    if (what == "count") counted++;
    if (what == "hide") hidden.state->values.push_back(3);
    if (what == "write") { *log_file.file = fopen("written", "w"); fputs("logged", *log_file.file); }
    if (what == "late") late(1);
    if (what == "exit") exit(3);
    return PyLong_FromLong((long)large.size());
}`;

const PROGRAMS: Readonly<Record<string, string>> = {
  'nothing that is seen': 'pass',
  'an object that the program has changed': 'm.act("use")',
  'what an object that has not changed points to': 'm.act("hide")',
  'an object that is made later': 'm.act("late"); m.act("late")',
  'a function of atexit()': 'm.act("count")',
  'an open file that is written in the end': 'm.act("write")',
  'two of them': 'm.act("use"); m.act("write"); m.act("count")',
  'an exit status': 'm.act("use"); sys.exit(4)',
  'the end by a library': 'm.act("use"); m.act("exit")',
  'an end that takes objects apart': 'm.act("use"); kept = open("written", "w"); kept.write("x")',
  'a child': 'm.act("use") if os.fork() == 0 else os.wait()',
  'the end without destructors': 'm.act("use"); sys.stdout.flush(); os._exit(5)',
};

describeWith(hasLinkablePython(), 'a Python of the system that can be relinked')('destructors', () => {
  beforeAll(async () => {
    rig = await extensionRig(folder);
    const text = moduleSource('ends_cxx', LIBRARY, 'PyLong_FromLong(0)')
      .replace('{"state", state, METH_NOARGS, NULL}', '{"act", act_of, METH_O, NULL}')
      .replace(
        /static PyObject \*state.*\n/,
        'static PyObject *act_of(PyObject *, PyObject *how) { return act(PyUnicode_AsUTF8(how)); }\n',
      );
    await rig.compile(text, 'ends_cxx.so');
    expect(await rig.build(out, '--startup', '--module', 'ends_cxx')).not.toContain('left out');
  });

  test.each(Object.entries(PROGRAMS))('%s', async (_name, code) => {
    const written = join(folder, 'written');
    const program = `import ends_cxx as m, os, sys\n${code}`;
    const answers: unknown[] = [];
    for (const python of [SYSTEM_PYTHON, out]) {
      writeFileSync(written, '');
      const done = await rig.start(python, '-c', program);
      answers.push({...done, written: (await rig.start('cat', written)).stdout});
    }
    expect(answers[1]).toEqual(answers[0]);
    expect((await rig.start(out, '-c', `import ends_cxx\n${STATE}`)).stdout).toMatch(/^restored\n/);
  });

  test('those that only give back memory do not touch it', async () => {
    const memory = async (code: string): Promise<number> => {
      const text = `import os, resource, sys
pid = os.posix_spawn(sys.argv[1], [sys.argv[1], '-c', sys.argv[2]], os.environ)
os.waitpid(pid, 0)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)`;
      return Number((await rig.start(SYSTEM_PYTHON, '-c', text, out, code)).stdout.split('\n').at(-2));
    };
    const quick = await memory('pass');
    const whole = await memory('import os; kept = os.open("/dev/null", os.O_RDONLY)');
    expect(quick).toBeGreaterThan(0);
    expect(quick).toBeLessThan(0.5 * whole);
  });
});
