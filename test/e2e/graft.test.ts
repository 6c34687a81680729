/** Copies of installed Pythons' executables that need their images, through the command line. */
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync} from 'node:fs';
import {basename, dirname, join, relative} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {readElf} from '../../src/codegen/object-file/read-elf.js';
import {readExecutableForm} from '../../src/cpython/interpreter/installation/executable-form.js';
import {graftLibrary} from '../../src/hosts/installed/graft-host.js';
import {findPythons, systemPython} from '../../support/pythons.js';
import {NEWER_SERIES, newerDebianRoot, runInRoot} from '../../support/debian-root.js';
import {CACHE, type JsonEvent, PACKAGE, type Run, type SummaryEvent, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';
import {withoutArchive} from '../support/without-archive.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('graft');
const system = systemPython();
const hasPatchelf = spawnSync('patchelf', ['--version']).status === 0;
const root = await newerDebianRoot(); // says why, where it cannot be had

/** A Python, and a way to run programs where it is. */
interface Place {
  readonly python: string;
  /** Where this machine has the file. */
  readonly file: string;
  readonly run: (argv: readonly string[]) => Promise<Run>;
  /** Whether its archive can be linked, so that a graft has to be asked for. */
  readonly links: boolean;
  /** Options besides those of all. */
  readonly options?: readonly string[];
  /** The only directory in which an executable finds the Python's library. */
  readonly bin?: string;
}

async function inRoot(argv: readonly string[]): Promise<Run> {
  const binds = {[PACKAGE]: 'read', [CACHE]: 'write', [folder]: 'write'} as const;
  const done = await runInRoot(root ?? '', argv, {binds});
  if (!done.ok) throw new Error(done.failure.message);
  const {exitCode, stdout, stderr} = done.value;
  return {exitCode, stdout, stderr};
}

const runHere = ([program = '', ...args]: readonly string[]): Promise<Run> => run(program, args);
const newest = hasPatchelf ? findPythons().at(-1) : undefined;
const archiveless = newest && withoutArchive(newest.python, join(folder, 'archiveless'));
const installed = hasPatchelf ? [...findPythons(), ...(system === undefined ? [] : [system])] : [];
const places: readonly Place[] = [
  ...installed.map(({python}) => ({
    ...{python, file: python, links: true, run: runHere},
  })),
  // In the build directory that is found by itself, too.
  ...(archiveless === undefined
    ? []
    : [
        {
          ...{python: archiveless, file: archiveless, links: false, run: runHere},
          options: ['--cache-dir', join(folder, 'cache')],
          bin: dirname(archiveless),
        },
      ]),
  // Debian's archives of these lack objects.
  ...(root === undefined ? [] : NEWER_SERIES).map((series) => ({
    ...{python: `/usr/bin/python${series}`, file: join(root ?? '', `usr/bin/python${series}`), links: false},
    run: inRoot,
  })),
];

/** What a program can see of how its interpreter started, but for _flashfreeze and the interpreter's own name. */
const STATE = `
import sys, os, json
names = 'prefix exec_prefix base_prefix base_exec_prefix path flags hash_info platlibdir'.split()
found = {name: repr(getattr(sys, name)) for name in names}
found['modules'] = list(sys.modules)
found['builtin'] = [name for name in sys.builtin_module_names if name != '_flashfreeze']
found['specs'] = {name: repr(getattr(m, '__spec__', None)) for name, m in sys.modules.items() if name != '__main__'}
found['codes'] = {name: repr(getattr(m, '__file__', None)) for name, m in sys.modules.items()}
found['environment'] = {k: v for k, v in os.environ.items() if k != '_'}
import re
print(re.sub('0x[0-9a-f]+', '0x', json.dumps(found)))`;

describeWith(places.length > 0, 'patchelf and a Python').each(
  places.map((place) => [place.python, place] as const),
)('%s', (python, place) => {
  const name = python.replaceAll('/', '_');
  const out = join(place.bin ?? join(folder, name, 'bin'), 'python');
  const flashfreeze = (...args: string[]): Promise<Run> =>
    place.run([
      ...[
        'env',
        `FLASHFREEZE_CACHE_DIR=${join(CACHE, 'store')}`,
        'node',
        join(PACKAGE, 'bin/flashfreeze.mjs'),
      ],
      ...args,
    ]);
  const build = async (): Promise<
    SummaryEvent & {readonly said: string; readonly events: readonly JsonEvent[]}
  > => {
    const done = await flashfreeze(
      ...['relink', ...(place.links ? ['--method', 'graft'] : []), '--python', python, '--out', out],
      ...(place.options ?? ['--build-dir', join(folder, name, 'build')]),
      ...['--trace', '-c "import json, dataclasses"', '--json'],
    );
    const events = done.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as JsonEvent);
    return {...(events.at(-1) as SummaryEvent), events, said: done.stdout + done.stderr};
  };
  const ask = async (program: string, ...args: string[]): Promise<unknown> => {
    const done = await place.run([program, '-B', ...args]);
    if (done.exitCode !== 0) throw new Error(done.stderr);
    return JSON.parse(done.stdout);
  };
  const original = readFileSync(place.file);
  const used = 'import _flashfreeze as f, json; i = f.info(); print(json.dumps([i["active"], i["used"]]))';
  let first: Awaited<ReturnType<typeof build>>;

  beforeAll(async () => {
    first = await build();
  });

  test('is grafted: because that was asked for, or because nothing else is possible, which is said', () => {
    expect(first).toMatchObject({ok: true, method: 'graft'});
    const reason =
      /libpython3\.\d+\.a (cannot be linked \((undefined reference to|cannot find -l).*\)|not found): grafting/;
    if (place.links) expect(first.said).not.toMatch(/grafting/);
    else expect(first.said).toMatch(reason);
  });

  test('images are in use, from the first module that is imported from a file', async () => {
    const code =
      'import sys, json, _flashfreeze as f, codecs, encodings, os, site; print(json.dumps(' +
      '[f.is_static(m.__code__) for m in (codecs.open, encodings.search_function, os.makedirs, site.main)]))';
    expect(await ask(out, '-c', code)).toEqual([true, true, true, true]);
  });

  test('a program sees what it sees in the original', async () => {
    expect(await ask(out, '-c', STATE)).toEqual(await ask(python, '-c', STATE));
    expect(await ask(out, '-I', '-X', 'utf8', '-c', STATE)).toEqual(
      await ask(python, '-I', '-X', 'utf8', '-c', STATE),
    );
  });

  test('chains of imports end where they do in the original, and parents may replace sys.modules', async () => {
    const chain = join(folder, `${name}-chain`);
    mkdirSync(chain, {recursive: true});
    // Each import executes the module once more.
    writeFileSync(
      join(chain, 'ff_chain.py'),
      'import sys\ncount = sys.ff_count = getattr(sys, "ff_count", 0) + 1\ndel sys.modules[__name__]\nimport ff_chain\n',
    );
    mkdirSync(join(chain, 'ff_parent'), {recursive: true});
    writeFileSync(join(chain, 'ff_parent/child.py'), 'print("child")\n');
    writeFileSync(
      join(chain, 'ff_parent/__init__.py'),
      `import sys
class Modules(dict):
    def get(self, name, default=None):
        if "ff_parent" in name: print("get", name)
        return super().get(name, default)
sys.modules = Modules(sys.modules)
`,
    );
    // Since 3.14, slices are constants, whose members are objects of their own. The build compares which are the same.
    writeFileSync(
      join(chain, 'ff_slices.py'),
      `def f(x):
    return x[1000:2000], x[2000:3000], 1000, (2000,), x["a b":"c d"], "a b", x["name":"other"], "name", x[1.5:], 1.5, x[b"ab":], b"ab"
def g(x):
    return x[1000:2000], x[2000:4000], 4000, x["name":"other"], x["a b":"other"], x[300:300:300], x[1:2], x[::1.5j], 1.5j
values = f, g, ""[:2000], 3000
`,
    );
    const chained = `${out}-chained`; // beside it: a Python that was moved finds its library there
    const path = ['env', `PYTHONPATH=${chain}`];
    const built = await place.run([
      ...[
        ...path,
        `FLASHFREEZE_CACHE_DIR=${join(CACHE, 'store')}`,
        'node',
        join(PACKAGE, 'bin/flashfreeze.mjs'),
      ],
      ...['relink', ...(place.links ? ['--method', 'graft'] : []), '--python', python, '--out', chained],
      ...['--build-dir', join(chain, 'build'), '--module', 'ff_chain', '--package', 'ff_parent'],
      ...['--module', 'ff_slices'],
    ]);
    expect(built).toMatchObject({exitCode: 0});
    const code =
      'import sys, json\ntry: import ff_chain\nexcept RecursionError: pass\nprint(json.dumps(sys.ff_count))';
    const deepest = (program: string): Promise<unknown> =>
      place.run([...path, program, '-B', '-S', '-c', code]).then(({stdout}) => JSON.parse(stdout) as unknown);
    const limit = await deepest(python);
    expect(limit).toBeGreaterThan(50);
    expect(await deepest(chained)).toBe(limit);
    const child = (program: string): Promise<Run> =>
      place.run([...path, program, '-B', '-S', '-c', 'import ff_parent.child']);
    const usual = await child(python);
    expect(usual).toMatchObject({exitCode: 0, stdout: expect.stringMatching(/child\n$/)});
    expect(await child(chained)).toEqual(usual);
  });

  test('an interrupt ends a program as usual, whatever text is evaluated while it ends', async () => {
    // Newer Pythons import `traceback` to print an exception, and named tuples are text that is prepared.
    for (const code of ['raise KeyboardInterrupt', 'import dataclasses, json; raise KeyboardInterrupt']) {
      const end = (program: string): Promise<Run> =>
        place.run(['sh', '-c', `${program} -B -c '${code}' 2>&1; echo $?`]);
      expect(await end(out)).toEqual(await end(python));
    }
  });

  test('images equal a fresh compile', async () => {
    const verified = await flashfreeze('verify', '--images', out);
    expect(verified).toMatchObject({exitCode: 0});
    expect(verified.stdout + verified.stderr).toMatch(/equal a fresh compile/);
  });

  test('images have their pointers in the file where addresses are fixed, and are the same where something else lies there', async () => {
    const code = `
import sys, json, hashlib, marshal, _flashfreeze as f
sums = [hashlib.sha256(marshal.dumps(f.code(m.name))).hexdigest() for m in f.modules()]
lines = [line for line in open('/proc/self/maps') if ${JSON.stringify(basename(graftLibrary(out)))} in line]
print(json.dumps([int(lines[0].split('-')[0], 16), sums]))`;
    const form = await readExecutableForm(place.file);
    const hasFixed = form?.isPositionIndependent === false;
    const library = readElf(readFileSync(graftLibrary(out)));
    const fixed = library?.sections.find((section) => section.name === 'ff_fixed');
    expect(fixed?.bytes.some((byte) => byte !== 0)).toBe(hasFixed);
    // What a set of constants is marshalled to depends on the hash seed.
    const listing = (...variables: string[]): Promise<[number, string[]]> =>
      place
        .run(['env', 'PYTHONHASHSEED=0', ...variables, out, '-B', '-c', code])
        .then(({stdout}) => JSON.parse(stdout) as [number, string[]]);
    const [address, sums] = await listing();
    const first = library?.sections.find((section) => section.name === 'ff_written')?.address ?? 0;
    // The dynamic linker gives no library of an executable without fixed addresses one that it asks for.
    expect(hasFixed ? first - address : 0).toBeLessThan(1 << 20);
    const blocker = join(folder, 'blocker.so');
    writeFileSync(join(folder, 'blocker.c'), 'char ff_blocker[1 << 20];');
    const compiled = await run('cc', [
      ...['-shared', '-nostdlib', `-Wl,-Ttext-segment=0x${address.toString(16)}`],
      ...['-o', blocker, join(folder, 'blocker.c')],
    ]);
    expect(compiled).toMatchObject({exitCode: 0});
    const [elsewhere, same] = await listing(`LD_PRELOAD=${blocker}`);
    expect(elsewhere).not.toBe(address);
    expect(same).toEqual(sums);
  });

  test('a second run has nothing to do, and sees that without asking the Python', async () => {
    const again = await build();
    expect(again).toMatchObject({actions: {executed: 0, failed: 0}, method: 'graft'});
    const finished = again.events.filter(({type}) => type === 'action-finished');
    expect(finished.length).toBeGreaterThan(20);
    // What is recalled from the memo of the last run took no time at all.
    expect(finished.filter(({ms}) => ms !== 0)).toEqual([]);
    const reasons = ({events}: typeof first): unknown[] =>
      events
        .map(({message}) => message)
        .filter((message) => String(message).endsWith('grafting a copy of the executable'));
    expect(reasons(again)).toEqual(reasons(first));
  });

  test('a child uses images, too, and images can be disabled', async () => {
    const child = `import subprocess, sys; subprocess.run([sys.executable, '-c', ${JSON.stringify(used)}], check=True)`;
    expect(await ask(out, '-c', child)).toEqual([true, expect.any(Number)]);
    const off = 'import _flashfreeze as f, json; print(json.dumps(f.info()["used"]))';
    expect(await ask(out, '-X', 'flashfreeze=off', '-c', off)).toBe(0);
  });

  test('a virtual environment of copies uses images, which stay where they are', async () => {
    const copyOf = async (program: string, kind: string): Promise<string> => {
      const environment = join(folder, `${name}-${kind}-venv`);
      const made = await place.run([program, '-m', 'venv', '--without-pip', '--copies', environment]);
      expect(made).toMatchObject({exitCode: 0, stderr: ''});
      return join(environment, 'bin/python');
    };
    const copy = await copyOf(out, 'graft');
    // One that finds its libpython from its own directory does not start elsewhere, frozen or not.
    const {exitCode} = await place.run([await copyOf(place.python, 'unmodified'), '-c', 'pass']);
    if (exitCode === 0) expect(await ask(copy, '-c', used)).toEqual([true, expect.any(Number)]);
    else expect(await place.run([copy, '-c', 'pass'])).toMatchObject({exitCode});
  });

  test('the executable, its library and its stamps can be moved together, and the original is as it was', async () => {
    const moved = place.bin ?? join(folder, `${name}-moved`);
    mkdirSync(moved, {recursive: true});
    const program = join(moved, 'python-moved');
    renameSync(out, program);
    for (const ending of ['', '.stamps']) {
      renameSync(graftLibrary(out) + ending, join(moved, basename(graftLibrary(out)) + ending));
    }
    expect(await ask(program, '-c', used)).toEqual([true, expect.any(Number)]);
    expect(readFileSync(place.file).equals(original)).toBe(true);
  });
});

describeWith(system !== undefined && hasPatchelf, 'patchelf and a Python of the system')('places', () => {
  test('blanks and colons in the name of a directory', async () => {
    const out = join(folder, 'a b:c', 'python');
    const {python = ''} = system ?? {};
    const made = await run('node', [
      ...[
        join(PACKAGE, 'bin/flashfreeze.mjs'),
        'relink',
        '--method',
        'graft',
        '--python',
        python,
        '--out',
        out,
      ],
      ...['--build-dir', join(folder, 'build of a b'), '--cache-dir', join(CACHE, 'store'), '--startup'],
    ]);
    expect(made).toMatchObject({exitCode: 0});
    const used = 'import _flashfreeze as f; print(f.info()["used"] > 10)';
    expect(await run(out, ['-I', '-c', used])).toMatchObject({exitCode: 0, stdout: 'True\n'});
  });

  test('what has images gets no others: a process has one runtime', async () => {
    const frozen = join(folder, 'one-runtime', 'python');
    const make = (command: readonly string[], python: string, out: string): Promise<Run> =>
      run('node', [
        ...[join(PACKAGE, 'bin/flashfreeze.mjs'), ...command, '--python', python, '--out', out],
        ...['--build-dir', `${out}-build`, '--cache-dir', join(CACHE, 'store'), '--startup'],
      ]);
    const graft = ['relink', '--method', 'graft'];
    expect(await make(graft, system?.python ?? '', frozen)).toMatchObject({exitCode: 0});
    for (const command of [graft, ['overlay'], ['snapshot', '--method', 'graft']]) {
      const out = join(folder, 'second-runtime', 'python');
      const refused = await make(command, frozen, out);
      expect(refused).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining(`error[PYTHON]: ${frozen} has frozen modules already`),
      });
      expect(existsSync(out)).toBe(false);
    }
  });
});

describeWith(archiveless !== undefined, 'patchelf and a Python')('a Python that was moved', () => {
  const relink = (python: string, out: string): Promise<Run> =>
    run('node', [
      ...[join(PACKAGE, 'bin/flashfreeze.mjs'), 'relink', '--method', 'graft', '--python', python],
      ...['--out', out, '--build-dir', `${out}-build`, '--cache-dir', join(CACHE, 'store'), '--startup'],
    ]);

  test('is grafted into its virtual environments, where libraries are found by their ways from the original', async () => {
    const environment = join(folder, 'environment of a moved one');
    const made = await run(archiveless ?? '', ['-m', 'venv', '--without-pip', environment]);
    expect(made).toMatchObject({exitCode: 0});
    const out = join(environment, 'bin/frozen');
    expect(await relink(join(environment, 'bin/python'), out)).toMatchObject({exitCode: 0});
    const code = 'import sys, _flashfreeze as f; print(sys.prefix, f.info()["used"] > 10)';
    expect(await run(out, ['-c', code])).toMatchObject({exitCode: 0, stdout: `${environment} True\n`});
  });

  test('can be moved with a graft in its own directory', async () => {
    const place = join(folder, 'to be moved');
    const python = withoutArchive(newest?.python ?? '', place);
    expect(await relink(python, join(dirname(python), 'frozen'))).toMatchObject({exitCode: 0});
    const moved = join(folder, 'moved again');
    renameSync(place, moved);
    const code = 'import sys, _flashfreeze as f; print(sys.prefix, f.info()["used"] > 10)';
    expect(await run(join(moved, 'bin/frozen'), ['-c', code])).toEqual({
      ...{exitCode: 0, stdout: `${moved} True\n`, stderr: ''},
    });
  });

  test('is grafted into any directory, and starts there as the original does', async () => {
    const python = archiveless ?? '';
    const out = join(folder, 'far from a moved one', 'python');
    expect(await relink(python, out)).toMatchObject({exitCode: 0});
    const paths =
      "import sys, site; print(*(getattr(sys, name) for name in 'prefix exec_prefix base_prefix base_exec_prefix path'.split()), site.PREFIXES)";
    for (const options of [[], ['-I'], ['-S', '-E']]) {
      const unmodified = await run(python, [...options, '-c', paths]);
      expect(unmodified).toMatchObject({exitCode: 0, stderr: ''});
      expect(await run(out, [...options, '-c', paths])).toEqual(unmodified);
    }
    const own = 'import sys, _flashfreeze as f; print(sys.executable, f.info()["used"] > 10)';
    for (const cwd of [dirname(out), folder]) {
      expect(await run(`./${relative(cwd, out)}`, ['-c', own], {cwd})).toMatchObject({
        stdout: `${out} True\n`,
      });
    }
    // A process that it starts by its own path.
    const child = `import subprocess, sys; subprocess.run([sys.executable, '-c', "import sys; print(sys.executable, sys.prefix)"])`;
    const prefix = dirname(dirname(python));
    expect(await run(out, ['-c', child])).toMatchObject({stdout: `${out} ${prefix}\n`});
  });

  test.each(['venv', 'a tool that names the directory of the copy'])(
    'such a graft has virtual environments: %s',
    async (kind) => {
      const out = join(folder, 'far from a moved one', 'python');
      const environment = join(folder, `environment by ${kind}`);
      const bin = join(environment, 'bin');
      if (kind === 'venv') {
        expect(await run(out, ['-m', 'venv', '--without-pip', environment])).toMatchObject({exitCode: 0});
      } else {
        mkdirSync(bin, {recursive: true});
        symlinkSync(out, join(bin, 'python'));
        writeFileSync(join(environment, 'pyvenv.cfg'), `home = ${dirname(out)}\n`);
      }
      const code = 'import sys; print(sys.prefix, sys.exec_prefix, sys.base_prefix, sys.executable)';
      const base = dirname(dirname(archiveless ?? ''));
      expect(await run(join(bin, 'python'), ['-c', code])).toEqual({
        exitCode: 0,
        stdout: `${environment} ${environment} ${base} ${join(bin, 'python')}\n`,
        stderr: '',
      });
    },
  );
});
