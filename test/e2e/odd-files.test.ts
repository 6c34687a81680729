/** Files of others that Python cannot compile, in a package that is frozen, and sources in an encoding of the environment's own. */
import {mkdirSync, symlinkSync, unlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreezeJson, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(10 * 60_000);

const folder = temporaryDirectory('odd-files');

/** A codec in which `~` stands for `"`; it prints when it is imported, and imports its table when it is first used. */
const CODEC = `
import codecs
print('noise on stdout')
def decode(data, errors='strict'):
    import tilde_table
    return bytes(data).decode('utf-8', errors).translate(tilde_table.TABLE), len(data)
class Incremental(codecs.BufferedIncrementalDecoder):
    def _buffer_decode(self, data, errors, final):
        return decode(data, errors) if final else ('', 0)
class Reader(codecs.StreamReader):
    def decode(self, data, errors='strict'):
        return decode(data, errors)
def search(name):
    if name == 'tilde':
        utf8 = codecs.lookup('utf-8')
        return codecs.CodecInfo(utf8.encode, decode, Reader, utf8.streamwriter, utf8.incrementalencoder, Incremental, name=name)
codecs.register(search)
`;

test.each(findPythons().map(({series, python}) => [series, python] as const))(
  'Python %s: odd files stay on their ordinary imports, and codecs of site are known',
  async (series, python) => {
    const venv = join(folder, series);
    expect(await run(python, ['-m', 'venv', '--without-pip', venv])).toMatchObject({exitCode: 0});
    const site = join(venv, 'lib', `python${series}`, 'site-packages');
    const out = join(venv, 'bin', 'frozen');
    mkdirSync(join(site, 'odd', 'below.py'), {recursive: true});
    const put = (name: string, content: string | Uint8Array): void => {
      writeFileSync(join(site, name), content);
    };
    put('odd/__init__.py', '');
    put('odd/fine.py', 'def f(): return 1\n');
    put('odd/tilde.py', '# coding: tilde\ndef f(): return ~text~\n');
    put('odd/deep.py', `x = ${'('.repeat(5000)}1${')'.repeat(5000)}\n`);
    put('odd/exec_statement.py', 'exec "1" in {}\n');
    put('odd/utf16.py', Buffer.from('\ufeffx = 1\n', 'utf16le'));
    symlinkSync('/proc/self/mem', join(site, 'odd', 'unreadable.py'));
    const build = (...more: string[]) =>
      flashfreezeJson([
        ...['relink', '--python', join(venv, 'bin', 'python'), '--out', out],
        ...['--build-dir', join(venv, 'build'), '--cache-dir', join(venv, 'cache'), ...more],
      ]);
    const ask = async (code: string): Promise<string> =>
      (await run(out, ['-B', '-c', `import _flashfreeze as f\n${code}`])).stdout;
    const bad = ['deep', 'exec_statement', 'unreadable', 'utf16'];

    const first = await build('--package', 'odd');
    expect(first).toMatchObject({exitCode: 0, summary: {ok: true}});
    expect(first.stderr.match(/warning: /g)).toHaveLength(1);
    expect(first.stderr).toMatch(/warning: 5 modules do not compile/);
    for (const name of [...bad, 'tilde'])
      expect(first.stderr).toContain(`  odd.${name} (${site}/odd/${name}.py`);
    expect(await ask('import odd.fine; print(f.is_static(odd.fine.f.__code__))')).toBe('True\n');
    const tryAll = `import importlib
for name in ${JSON.stringify(bad)}:
    try: importlib.import_module("odd." + name)
    except BaseException as error: print(name, type(error).__name__, getattr(error, "msg", error))
    else: print(name, "imported")
`;
    const ordinary = await run(join(venv, 'bin', 'python'), ['-B', '-c', tryAll]);
    expect(ordinary.stdout.split('\n')).toHaveLength(bad.length + 1);
    expect(await ask(tryAll)).toBe(ordinary.stdout);

    // Once site knows the encoding, the source compiles.
    put('tilde_table.py', `TABLE = {ord("~"): '"'}\n`);
    put('tilde_codec.py', CODEC);
    put('tilde.pth', 'import tilde_codec\n');
    const second = await build('--package', 'odd');
    expect(second.stderr).toMatch(/warning: 4 modules do not compile/);
    const word = 'import odd.tilde; print(f.is_static(odd.tilde.f.__code__), odd.tilde.f())';
    expect(await ask(word)).toBe('noise on stdout\nTrue text\n');
    // What the codec imports when it is used is among the inputs, too.
    put('tilde_table.py', `TABLE = {ord("~"): '"', ord("x"): "s"}\n`);
    const third = await build('--package', 'odd');
    expect(third.summary.executed).toContain('compile:odd.tilde/site');
    expect(await ask(word)).toBe('noise on stdout\nTrue test\n');
    expect((await build('--package', 'odd')).summary.executed).toEqual([]);
    unlinkSync(join(site, 'tilde.pth'));
    expect((await build('--package', 'odd')).stderr).toMatch(/warning: 5 modules do not compile/);

    // A module that was named is needed, also where an earlier build knows its problem.
    const named = await build('--package', 'odd', '--module', 'odd.exec_statement');
    expect(named).toMatchObject({exitCode: 1, summary: {ok: false}});
    expect(named.stderr).toMatch(/error\[COMPILE\]: .*odd\/exec_statement\.py does not compile/);
  },
);
