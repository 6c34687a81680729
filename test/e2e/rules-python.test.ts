/** Programs of rules_python's rules, frozen as they are, in Bazel 7.7.1 with Debian's rules_python. */
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {runProcess} from '../../src/exec/process.js';
import {bazelRoot, bazelSession, unpackPackage, executed, type Answer} from '../support/bazel.js';
import {findPythons} from '../../support/pythons.js';
import {describeWith} from '../support/with.js';
import {CACHE} from '../../support/rig.js';

jest.setTimeout(30 * 60_000);

const root = await bazelRoot('forky'); // says why, where it cannot be had
const wheel = findPythons().flatMap(bundledWheel).at(-1);

/** The wheel of pip that CPython comes with: a package that somebody else made, with others in it. */
function bundledWheel({python}: {readonly python: string}): {python: string; file: string}[] {
  const library = join(python, '..', '..', 'lib');
  const folders = existsSync(library)
    ? readdirSync(library).filter((name) => /^python3\.\d+$/.test(name))
    : [];
  return folders.flatMap((name) => {
    const bundled = join(library, name, 'ensurepip', '_bundled');
    const files = existsSync(bundled) ? readdirSync(bundled) : [];
    return files
      .filter((each) => /^pip-.*\.whl$/.test(each))
      .map((each) => ({python, file: join(bundled, each)}));
  });
}

/**
 * Packs the root's Python as those that rules_python downloads are packed: all in one directory, without an archive of objects.
 * @returns what archive.bzl says of it
 */
function archivePython(root: string, folder: string): string {
  const file = join(folder, 'python.tar.gz');
  execFileSync('tar', [
    ...['-czf', file, '-C', root, '--transform', 's,^usr/,python/,'],
    ...['test', '__pycache__', 'config-3.14-*', 'sitecustomize.py'].map((name) => `--exclude=${name}`),
    ...['bin/python3', 'bin/python3.14', 'lib/python3.14', 'include/python3.14'].map((name) => `usr/${name}`),
    'usr/include/x86_64-linux-gnu/python3.14',
  ]);
  const patchlevel = readFileSync(join(root, 'usr/include/python3.14/patchlevel.h'), 'utf8');
  const facts = {
    VERSION: /PY_VERSION\s+"([\d.]+)/.exec(patchlevel)?.[1],
    SHA256: createHash('sha256').update(readFileSync(file)).digest('hex'),
    URL: `file://${file}`,
  };
  return Object.entries(facts)
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
    .join('');
}

describeWith(root !== undefined && wheel !== undefined, "Bazel 7 and CPython's wheel of pip")(
  'rules_python',
  () => {
    const folder = join(CACHE, 'rules-python');
    const log = join(folder, 'edit.json');
    let answers: ReadonlyMap<string, Answer>;

    beforeAll(async () => {
      rmSync(folder, {recursive: true, force: true});
      const pip = join(folder, 'pip');
      mkdirSync(join(folder, 'bin'), {recursive: true});
      unpackPackage(join(folder, 'package'));
      const workspace = join(folder, 'workspace');
      cpSync(join(import.meta.dirname, '..', 'bazel', 'python-workspace'), workspace, {recursive: true});
      const {python, file} = wheel ?? {python: '', file: ''};
      const unpacked = await runProcess({
        file: python,
        args: ['-m', 'zipfile', '-e', file, join(pip, 'site-packages')],
        cwd: '/',
        environment: {},
        signal: new AbortController().signal,
      });
      expect(unpacked).toMatchObject({ok: true, value: {exitCode: 0}});
      writeFileSync(
        join(pip, 'BUILD.bazel'),
        `load("@rules_python//python:defs.bzl", "py_library")
py_library(
    name = "pkg",
    srcs = glob(["site-packages/pip/__init__.py", "site-packages/pip/_vendor/__init__.py", "site-packages/pip/_vendor/rich/*.py"]),
    imports = ["site-packages"],
    visibility = ["//visibility:public"],
)
`,
      );
      writeFileSync(
        join(pip, 'MODULE.bazel'),
        'module(name = "pip_package")\nbazel_dep(name = "rules_python", version = "0.22.1")\n',
      );
      writeFileSync(join(workspace, 'archive.bzl'), archivePython(root ?? '', folder));
      const build = (words: string): string => `bazel '${join(folder, 'base')}' build ${words}`;
      answers = await bazelSession(root ?? '', 'forky', folder, workspace, [
        {name: 'python', line: `ln -s /usr/bin/python3.14 '${folder}/bin/python3'`},
        {
          name: 'build',
          line: build(
            '//app:app //app:frozen //app:own //app:direct //app:plain_own //app:in_toolchain //app:in_toolchain.python //app:by_label',
          ),
        },
        {name: 'plain', line: `PATH='${folder}/bin':$PATH bazel-bin/app/app`},
        {name: 'frozen', line: 'cd / && "$OLDPWD"/bazel-bin/app/frozen'},
        {name: 'static', line: 'bazel-bin/app/frozen --static'},
        {name: 'own', line: 'bazel-bin/app/own'},
        {name: 'by_label', line: 'bazel-bin/app/by_label'},
        {name: 'plain_own', line: `PATH='${folder}/bin':$PATH bazel-bin/app/plain_own`},
        {name: 'in_toolchain', line: 'cd / && "$OLDPWD"/bazel-bin/app/in_toolchain'},
        {
          name: 'toolchain',
          line: `cd / && "$OLDPWD"/bazel-bin/app/in_toolchain.python -c 'import json, sys, _flashfreeze as f; print(f.is_static(json.loads.__code__), sys.base_prefix)'`,
        },
        {name: 'direct', line: 'bazel-bin/app/direct'},
        {name: 'bad', line: build('-k --nobuild //bad:all')},
        {name: 'sed', line: `sed -i 's/there/where/' spaces/far/near/there.py`},
        {name: 'edit', line: `${build('//app:frozen')} --execution_log_json_file='${log}'`},
        {name: 'edited', line: 'bazel-bin/app/frozen'},
        {name: 'stop', line: `command bazel --output_base='${join(folder, 'base')}' shutdown`},
      ]);
    });
    afterAll(() => {
      rmSync(folder, {recursive: true, force: true});
    });

    test('a py_binary is frozen by one line, and prints the same', () => {
      expect(answers.get('build')).toMatchObject({exitCode: 0});
      expect(answers.get('plain')).toMatchObject({
        exitCode: 0,
        text: expect.stringMatching(/Tools 1\.2\.3[^]*there\n$/),
      });
      expect(answers.get('frozen')).toEqual(answers.get('plain'));
    });

    test('its code is static: its own, of other packages and repositories, and generated', () => {
      const [codes, modules] = answers.get('static')?.text.trimEnd().split('\n').slice(-2) ?? [];
      expect(codes).toMatch(/^\[True, True, True, False\] \d{2,}$/);
      expect(modules).toBe("['app.app', 'app.version', 'far.near.there', 'tools']");
    });

    test('a program of our own takes a py_library: with a target between, and without', () => {
      for (const name of ['own', 'direct'])
        expect(answers.get(name)).toEqual({exitCode: 0, text: 'Tools 1.2.3 there\n'});
    });

    test("programs run in the Python of rules_python's toolchain", () => {
      for (const name of ['plain_own', 'in_toolchain', 'by_label'])
        expect(answers.get(name)).toEqual({exitCode: 0, text: 'Tools 1.2.3 there\n'});
      expect(answers.get('toolchain')).toMatchObject({
        exitCode: 0,
        text: expect.stringMatching(/^True \/.*python_of_archive_x86_64-unknown-linux-gnu\n$/),
      });
    });

    test.each([
      ['hyphen', /\/\/bad:hyphen: binary: bad\/my-program\.py cannot be imported by its name/],
      ['no_main', /\/\/bad:no_main: binary: no main source found/],
      [
        'library_name',
        /\/\/bad:library_name: stdlib: no source found for the module "jsno" .*did you mean json\?/,
      ],
      [
        'same',
        /\/\/bad:same(?:\.modules)?: srcs: two modules are called tools: bad\/again\/tools\.py and bad\/tools\.py/,
      ],
      ['main_name', /\/\/bad:main_name: main: no module "toosl" in srcs and deps \(did you mean tools\?\)/],
      [
        'moved',
        /\/\/bad:moved\.python: kind: "graft" is not possible: a copy of .* because this Python was moved/,
      ],
      ['no_python', /'\/\/bad:other_tools' does not have mandatory providers: .*'PyInfo'/],
    ])('an error of the analysis names the target and what is wrong: %s', (_, message) => {
      expect(answers.get('bad')).toMatchObject({exitCode: 1, text: expect.stringMatching(message)});
    });

    test('an edit runs the actions of one module', () => {
      expect(answers.get('edit')).toMatchObject({exitCode: 0});
      expect(
        executed(log)
          .map(({mnemonic}) => mnemonic)
          .sort(),
      ).toEqual(['FreezeCheck', 'FreezeLink', 'FreezeModule']);
      expect(answers.get('edited')?.text).toMatch(/where\n$/);
    });
  },
);
