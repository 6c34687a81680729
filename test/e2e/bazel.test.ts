/** The rules of rules/ in real Bazels: 7.7.1 with MODULE.bazel, overlays and a graft, 4.2.3 with WORKSPACE and an executable relinked. */
import {createHash} from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {type Answer, type Suite, bazelRoot, bazelSession, unpackPackage, executed} from '../support/bazel.js';
import {CACHE} from '../../support/rig.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(30 * 60_000);

const roots: Record<Suite, string | undefined> = {
  forky: await bazelRoot('forky'), // says why, where it cannot be had
  bookworm: await bazelRoot('bookworm'),
};

/** Puts another text in the place of one in a file. */
function replace(file: string, old: string, text: string): void {
  const before = readFileSync(file, 'utf8');
  expect(before).toContain(old);
  writeFileSync(file, before.replaceAll(old, text));
}

/** Lines for a shell that do the same. */
const sed = (file: string, script: string): string => `sed -i '${script}' ${file}`;

/** What Bazel 8 and 9 do that Bazel 7 does on demand, and its own rules and those of Debian bear. The rest: test/unit/rules/later-bazels.test.ts. */
const LATER_BAZELS = [
  '--incompatible_disable_native_repo_rules',
  '--incompatible_disallow_empty_glob',
  '--incompatible_use_plus_in_repo_names',
  '--incompatible_config_setting_private_default_visibility',
  '--incompatible_disable_starlark_host_transitions',
  '--incompatible_disable_target_provider_fields',
  '--incompatible_disallow_struct_provider_syntax',
  '--incompatible_struct_has_no_methods',
  '--incompatible_top_level_aspects_require_providers',
  '--incompatible_check_visibility_for_toolchains',
  '--incompatible_check_testonly_for_output_files',
  '--incompatible_no_implicit_file_export',
  '--incompatible_no_implicit_watch_label',
  '--incompatible_python_disallow_native_rules',
  '--incompatible_default_to_explicit_init_py',
  '--noenable_workspace',
];

/** Sets a suite's directory up, of which the output base stays from one test run to the next. */
function prepare(suite: Suite): {folder: string; workspace: string} {
  const folder = join(CACHE, `bazel-${suite}`);
  for (const part of ['package', 'answers', 'logs', 'second', 'bare'])
    rmSync(join(folder, part), {recursive: true, force: true});
  mkdirSync(join(folder, 'logs'), {recursive: true});
  return {folder, ...unpackPackage(join(folder, 'package'))};
}

/** Every file that a build has made, with its digest, by its path below bazel-bin. */
function products(bin: string): string[] {
  const names = readdirSync(bin, {recursive: true, encoding: 'utf8'});
  return names
    .filter((name) => !name.includes('.runfiles') && statSync(join(bin, name)).isFile())
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(join(bin, name)))
          .digest('hex')}`,
    )
    .sort();
}

const mnemonics = (log: string): string[] => executed(log).map(({mnemonic}) => mnemonic);
/** What a build says whose linker got a number wrong (test/bazel/workspace/wrong). */
function expectRefused(answer: Answer | undefined): void {
  expect(answer?.exitCode).toBe(1);
  expect(answer?.text).toMatch(
    /error\[VERIFY\]: the image of ff_odd differs from a fresh compile of .*wrong\/ff_odd\.py\n {2}ff_odd, answer: co_consts\[\d\]: 1234568 instead of 1234567\n/,
  );
  expect(answer?.text).toMatch(/\nhint: .*please report it; verify = False builds without this check/);
}
const TALLY = 'year: 4 values, mean 2023.5, median 2023.5\nvisitors: 4 values, mean 108.75, median 107.5\n';
const lastJson = (answer: Answer | undefined): unknown =>
  JSON.parse(answer?.text.trimEnd().split('\n').at(-1) ?? '') as unknown;

describeWith(roots.forky, 'Bazel 7')('Bazel 7.7.1, Python 3.14 and 3.15, overlays', () => {
  const base = join(CACHE, 'bazel-forky', 'base');
  const log = (name: string): string => join(CACHE, 'bazel-forky', 'logs', name);
  let answers: ReadonlyMap<string, Answer>;
  let folder: string;

  beforeAll(async () => {
    const {folder: own, workspace} = prepare('forky');
    folder = own;
    replace(join(workspace, 'MODULE.bazel'), '"python3"', '"python3.14"');
    appendFileSync(
      join(workspace, 'MODULE.bazel'),
      'flashfreeze.python(name = "newest_python", python = "python3.15")\nuse_repo(flashfreeze, "newest_python")\n' +
        `flashfreeze.python(name = "odd_python", python = "python3.14", cc = "${join(workspace, 'wrong', 'odd-linker')}")\nuse_repo(flashfreeze, "odd_python")\n`,
    );
    // The same in another directory, for another output base.
    const second = join(folder, 'second', 'some where');
    cpSync(join(folder, 'package'), second, {recursive: true});
    // A workspace that registers no toolchain, and one whose Python is none.
    const bare = join(folder, 'bare');
    mkdirSync(bare);
    writeFileSync(
      join(bare, 'MODULE.bazel'),
      `bazel_dep(name = "flashfreeze")
local_path_override(module_name = "flashfreeze", path = "../package")
flashfreeze = use_extension("@flashfreeze//rules:extensions.bzl", "flashfreeze")
flashfreeze.python(name = "nowhere", python = "no-such-python")
flashfreeze.python(name = "shell", python = "/bin/sh")
use_repo(flashfreeze, "nowhere", "shell")
`,
    );
    writeFileSync(join(bare, 'WORKSPACE.bzlmod'), '');
    writeFileSync(
      join(bare, 'BUILD.bazel'),
      `load("@flashfreeze//rules:defs.bzl", "frozen_modules")
frozen_modules(name = "alone", stdlib = ["json"])
frozen_modules(name = "lost", python = "@nowhere//:python")
frozen_modules(name = "shell", python = "@shell//:python")
`,
    );
    const build = (name: string, words: string): {name: string; line: string} => ({
      name,
      line: `bazel ${base} build ${words} --execution_log_json_file=${log(name)}`,
    });
    answers = await bazelSession(roots.forky ?? '', 'forky', folder, workspace, [
      build('build', '//tally:all //probe //newest'),
      {name: 'test', line: `bazel ${base} test //tests:all`},
      {name: 'tally', line: 'bazel-bin/tally/tally tally/numbers.csv'},
      {name: 'json', line: 'cd / && "$OLDPWD/bazel-bin/tally/tally" --json "$OLDPWD/tally/numbers.csv"'},
      {
        name: 'probe',
        line: `there=$(mktemp -d) && ln -s "$PWD/bazel-bin/probe/probe" "$there/linked" && "$there/linked" one 'two words'`,
      },
      {
        name: 'newest',
        line: `bazel-bin/newest/newest -c 'import json, sys, _flashfreeze as f; print(sys.version_info[:2], f.is_static(json.loads.__code__))'`,
      },
      build('odd', '//odd:all'),
      {name: 'odd-program', line: `bazel-bin/odd/it*g} 'two words'`},
      {
        name: 'odd-place',
        line: `mkdir '${folder}/second/a:b' && cp -rL bazel-bin/odd '${folder}/second/a:b' && '${folder}'/second/a:b/odd/it*.python -c pass`,
      },
      build('graft', '"//grafted:where\'s it"'),
      {name: 'graft-program', line: `bazel-bin/grafted/where*it one 'two words'`},
      {name: 'graft-sed', line: sed('grafted/where.py', 's/sys.prefix/sys.base_prefix/')},
      build('graft-edit', '"//grafted:where\'s it"'),
      {name: 'graft-edited', line: `cd / && "$OLDPWD"/bazel-bin/grafted/where*it`},
      {name: 'sed', line: sed('columns/summary.py', 's/column\\[0\\], str/column[-1], str/')},
      build('edit', '//tally:all //probe //newest'),
      {name: 'comment', line: 'echo "# A comment." >>columns/summary.py'},
      build('commented', '//tally:all //probe //newest'),
      build('again', '//tally:all //probe //newest'),
      {name: 'wrong', line: `bazel ${base} build //wrong`},
      {name: 'unverified', line: `bazel ${base} build //wrong:unverified`},
      {name: 'bad', line: `bazel ${base} build -k --nobuild //bad:all`},
      {name: 'kind', line: `bazel ${base} build --nobuild //bad_kind:all`},
      {name: 'mixed', line: `bazel ${base} build --nobuild //newest:mixed`},
      {name: 'syntax', line: `bazel ${base} build //bad:syntax`},
      {name: 'generated', line: `bazel ${base} build //bad:generated`},
      {name: 'stop', line: `command bazel --output_base=${base} shutdown`},
      {
        name: 'second',
        line: `cd '${join(second, 'examples/bazel-workspace')}' && ${sed('columns/summary.py', 's/column\\[0\\], str/column[-1], str/')} && echo "# A comment." >>columns/summary.py && bazel '${join(folder, 'second', 'base')}' build //tally`,
      },
      {
        name: 'later',
        line: `cd '${join(second, 'examples/bazel-workspace')}' && bazel '${join(folder, 'second', 'base')}' build --nobuild ${LATER_BAZELS.join(' ')} //tally:all //tests:all //probe //odd:all //traced:all "//grafted:where's it"`,
      },
      {name: 'bare', line: `cd ${bare} && bazel ${join(folder, 'bare-base')} build -k --nobuild //:alone`},
      {name: 'lost', line: `cd ${bare} && bazel ${join(folder, 'bare-base')} build -k --nobuild //:lost`},
      {name: 'shell', line: `cd ${bare} && bazel ${join(folder, 'bare-base')} build -k --nobuild //:shell`},
    ]);
  });

  const answer = (name: string): Answer => answers.get(name) ?? {exitCode: -1, text: ''};

  test('the example is built, and runs from anywhere', () => {
    expect(answer('build')).toMatchObject({exitCode: 0});
    expect(answer('test')).toMatchObject({exitCode: 0, text: expect.stringContaining('1 test passes')});
    expect(answer('tally')).toEqual({exitCode: 0, text: TALLY});
    expect(lastJson(answer('json'))).toMatchObject({year: {count: 4}, visitors: {median: 107.5}});
  });

  test('a program uses static code of its own, of a library and of the standard library', () => {
    const found = lastJson(answer('probe'));
    expect(found).toMatchObject({
      ...{python: '3.14', reason: null, own: true, library: true, stdlib: true},
      ...{file: 'probe/show.py', path: '/_main/probe', argv: ['one', 'two words']},
    });
    expect((found as {used: number}).used).toBeGreaterThan(8);
    expect(answer('newest')).toEqual({exitCode: 0, text: '(3, 15) True\n'});
  });

  test('the analysis needs nothing that later Bazels do not have', () => {
    expect(answer('later')).toMatchObject({
      exitCode: 0,
      text: expect.stringMatching(/Analyzed \d\d targets/),
    });
  });

  test('names that mean something to a shell are names', () => {
    expect(answer('odd')).toMatchObject({exitCode: 0});
    expect(answer('odd-program')).toEqual({exitCode: 0, text: "True ['two words']\n"});
    // Python would take a part of such a path for a directory, and run what it finds there.
    expect(answer('odd-place')).toMatchObject({exitCode: 127});
    expect(answer('odd-place').text).toMatch(/a directory in PYTHONPATH cannot have a colon in its name/);
  });

  test('a graft has static code from the first module on, and an edit makes its library anew', () => {
    expect(answer('graft')).toMatchObject({exitCode: 0});
    const seen = (args: readonly string[]): unknown => [[true, true, true, true], args, '/usr', false];
    expect(lastJson(answer('graft-program'))).toEqual(seen(['one', 'two words']));
    expect(answer('graft-edit')).toMatchObject({exitCode: 0});
    expect(mnemonics(log('graft-edit')).sort()).toEqual(['FreezeCheck', 'FreezeLink', 'FreezeModule']);
    expect(lastJson(answer('graft-edited'))).toEqual(seen([]));
  });

  test('an edit runs the actions of one module, each with that source and no other', () => {
    expect(answer('edit')).toMatchObject({exitCode: 0});
    // Two programs have the module.
    expect(mnemonics(log('edit')).sort()).toEqual([
      'FreezeCheck',
      'FreezeCheck',
      'FreezeLink',
      'FreezeLink',
      'FreezeModule',
    ]);
    const all = executed(log('edit')).flatMap(({mnemonic, inputs}) =>
      mnemonic === 'FreezeModule' ? inputs : [],
    );
    const sources = all.filter((path) => path.endsWith('.py'));
    expect(sources.filter((path) => !path.includes('src/cpython/interpreter/scripts/'))).toEqual([
      'columns/summary.py',
    ]);
  });

  test('an edit that leaves the code unchanged links nothing, and a build without an edit does nothing', () => {
    // Both programs compare what they have with the new source.
    expect(mnemonics(log('commented')).sort()).toEqual(['FreezeCheck', 'FreezeCheck', 'FreezeModule']);
    expect(answer('again')).toMatchObject({exitCode: 0});
    expect(mnemonics(log('again'))).toEqual([]);
  });

  test('another output base in another directory gives the same bytes, which contain no path', () => {
    expect(answer('second')).toMatchObject({exitCode: 0});
    const bin = 'execroot/_main/bazel-out/k8-fastbuild/bin';
    const [one, other] = [join(base, bin), join(folder, 'second', 'base', bin)];
    // The first one has been asked for more.
    const programs = (bin: string): string[] =>
      products(join(bin, 'tally')).filter((line) => /^tally\b/.test(line));
    expect(programs(other).length).toBeGreaterThan(10);
    expect(programs(one)).toEqual(expect.arrayContaining(programs(other)));
    const objects = (lines: string[]): string[] => lines.filter((line) => /\.pic\.o /.test(line));
    expect(objects(products(join(other, 'columns'))).length).toBeGreaterThan(5);
    expect(objects(products(join(other, 'columns')))).toEqual(objects(products(join(one, 'columns'))));
    for (const name of readdirSync(join(one, 'tally', 'tally.python.site'))) {
      expect(readFileSync(join(one, 'tally', 'tally.python.site', name)).includes(folder)).toBe(false);
    }
  });

  test.each([
    ['file_name', /^.*\/\/bad:file_name: srcs: _main\/bad\/my-tool\.py would be the module "my-tool"/m],
    [
      'library_name',
      /\/\/bad:library_name: stdlib: no source found for the module "jsno" in the standard library of Python 3\.14\.\d+ \(did you mean json\?\)/,
    ],
    ['missing', /\/\/bad:missing: srcs: no such file: bad\/missing\.py/],
    ['no_name', /\/\/bad:no_name: stdlib: "json\.\.decoder" is not a valid module name/],
    [
      'outside',
      /\/\/bad:outside: srcs: _main\/bad\/ok\.py is not in the directory of import_root, _main\/bad\/pkg/,
    ],
    ['up', /\/\/bad:up: import_root: "\.\." is outside of the package/],
    ['taken', /\/\/bad:taken: srcs: two modules are called csv: .*lib\/csv\.py and bad\/csv\.py/],
    [
      'same',
      /\/\/bad:same: deps: two modules are called same: bad\/a\/same\.py of .*\/\/bad:one and bad\/b\/same\.py of .*\/\/bad:other/,
    ],
    ['empty', /\/\/bad:empty: deps: an overlay needs a module/],
    ['main', /\/\/bad:main: main: no module "oK" in srcs and deps \(did you mean ok\?\)/],
    ['text', /srcs attribute of _frozen_modules rule \/\/bad:text: .*notes\.txt.*expected \.py/],
    [
      'old',
      /\/\/bad:old: facts: CPython 3\.9 is not supported \(supported versions: 3\.10, 3\.11, 3\.12, 3\.13, 3\.14, 3\.15\)/,
    ],
  ])('the analysis rejects bad input: %s', (_name, words) => {
    expect(answer('bad').exitCode).not.toBe(0);
    expect(answer('bad').text).toMatch(words);
  });

  test('the analysis rejects an unknown kind, modules of another toolchain, a missing toolchain, a missing Python', () => {
    expect(answer('kind').text).toMatch(/\/\/bad_kind:kind: invalid value in 'kind' attribute/);
    expect(answer('mixed').text).toMatch(
      /\/\/newest:mixed: deps: .*\/\/newest:modules is frozen with .*newest_python\/\/:python, this with .*target_python\/\/:python/,
    );
    expect(answer('bare').text).toMatch(/\/\/:alone: python: no toolchain found: register one/);
    expect(answer('lost').text).toMatch(/repository .*nowhere: python: no-such-python: command not found/);
    expect(answer('shell').text).toMatch(
      /repository .*shell: python: cannot freeze modules for .*\/sh\n.*error\[PYTHON\]/,
    );
  });

  test('a wrong image fails the build, unless that is not to be checked', () => {
    expectRefused(answer('wrong'));
    expect(answer('unverified')).toMatchObject({exitCode: 0});
  });

  test('a source may be made by another rule', () => {
    expect(answer('generated')).toMatchObject({exitCode: 0});
  });

  test("a source that does not compile fails with Python's message and its line", () => {
    expect(answer('syntax').exitCode).toBe(1);
    expect(answer('syntax').text).toMatch(/error\[COMPILE\].*bad\/broken\.py does not compile[^]*def f\(:/);
  });
});

describeWith(roots.bookworm, 'Bazel 4')('Bazel 4.2.3, Python 3.11, linked anew', () => {
  const base = join(CACHE, 'bazel-bookworm', 'base');
  const log = (name: string): string => join(CACHE, 'bazel-bookworm', 'logs', name);
  let answers: ReadonlyMap<string, Answer>;

  beforeAll(async () => {
    const {folder, workspace} = prepare('bookworm');
    replace(join(workspace, 'WORKSPACE'), '"python3"', '"python3.11"');
    replace(join(workspace, 'options.bzl'), '"overlay"\n', '"relink"\n');
    rmSync(join(workspace, 'newest'), {recursive: true});
    appendFileSync(
      join(workspace, 'WORKSPACE'),
      `python_repository(name = "odd_python", python = "python3.11", cc = "${join(workspace, 'wrong', 'odd-linker')}")\n`,
    );
    const build = (name: string): {name: string; line: string} => ({
      name,
      line: `bazel ${base} build //tally:all //probe --execution_log_json_file=${log(name)}`,
    });
    const code = `import json, os, sys, _flashfreeze as f; print(f.info()["active"], f.is_static(json.loads.__code__), f.is_static(os.walk.__code__), sys.prefix)`;
    answers = await bazelSession(roots.bookworm ?? '', 'bookworm', folder, workspace, [
      build('build'),
      {name: 'tally', line: 'bazel-bin/tally/tally tally/numbers.csv'},
      {name: 'probe', line: 'bazel-bin/probe/probe'},
      {name: 'python', line: `bazel-bin/tally/python -c '${code}'`},
      {name: 'sed', line: sed('tally/cli.py', 's/as JSON/for programs/')},
      build('edit'),
      {name: 'wrong', line: `bazel ${base} build //wrong`},
      {name: 'bad', line: `bazel ${base} build -k --nobuild //bad:all`},
      {name: 'graft', line: `bazel ${base} build --nobuild //grafted:all`},
      {name: 'snapshot-usage', line: `bazel ${base} run //kept:snapshot`},
      {
        name: 'snapshot',
        line: `bazel ${base} run //kept:snapshot -- 'a place' --cache-dir '${join(folder, 'store')}'`,
      },
      {name: 'snapshot-program', line: `cd / && "$OLDPWD/a place/bin/shown" 'two words'`},
    ]);
  });

  test('the example is built with WORKSPACE, and its programs run', () => {
    expect(answers.get('build')).toMatchObject({exitCode: 0});
    expect(answers.get('tally')).toEqual({exitCode: 0, text: TALLY});
    expect(lastJson(answers.get('probe'))).toMatchObject({
      ...{python: '3.11', reason: null, own: true, library: true, stdlib: true, path: 'xample/probe'},
    });
  });

  test('what CPython freezes itself is static code, too', () => {
    expect(answers.get('python')).toEqual({exitCode: 0, text: 'True True True /usr\n'});
  });

  test('an edit runs the actions of one module', () => {
    expect(mnemonics(log('edit')).sort()).toEqual(['FreezeCheck', 'FreezeLink', 'FreezeModule']);
  });

  test('a wrong image fails the build', () => {
    expectRefused(answers.get('wrong'));
  });

  test('a program starts from a snapshot that was made outside of the sandbox', () => {
    expect(answers.get('snapshot-usage')).toMatchObject({
      exitCode: 2,
      text: expect.stringContaining('usage: '),
    });
    expect(answers.get('snapshot')).toMatchObject({exitCode: 0});
    expect(lastJson(answers.get('snapshot-program'))).toEqual({
      ...{snapshot: 'restored', held: true, argv: ['two words']},
      ...{path: ['example/kept', 'example'], file: 'example/columns/summary.py'},
    });
  });

  test('the analysis rejects bad input', () => {
    expect(answers.get('bad')?.text).toMatch(
      /\/\/bad:file_name: srcs: example\/bad\/my-tool\.py would be the module "my-tool"/,
    );
    expect(answers.get('graft')?.text).toMatch(
      /\/\/grafted:.* kind: "graft" is not possible: patchelf is not installed: .* \(on Debian and Ubuntu, install the package patchelf\)/,
    );
  });
});
