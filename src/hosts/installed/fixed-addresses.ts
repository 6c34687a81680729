import {join} from 'node:path';
import {z} from 'zod';
import {readElf, type ElfSection} from '../../codegen/object-file/read-elf.js';
import {readExecutableForm} from '../../cpython/interpreter/installation/executable-form.js';
import type {Installation} from '../../cpython/interpreter/installation/installation.js';
import {type Interpreter, runScript} from '../../cpython/interpreter/run-script.js';
import {attempt} from '../../fs/files.js';
import {readFile} from '../../fs/recorded-fs.js';
import {memoize} from '../../fs/memo.js';
import {withoutRecording} from '../../fs/recording.js';
import {runProcess} from '../../exec/process.js';
import {type Result, ok} from '../../model/result.js';
import {isText, schemaOf} from '../../model/shape.js';
import {canonicalJson} from '../../model/canonical-json.js';
import type {Places} from '../../pipeline/build-places.js';
import type {Site} from '../../pipeline/host.js';
import type {CToolchain} from '../../pipeline/toolchain.js';
import {chooseLinker} from '../link/chosen-linker.js';
import {withPreloaded} from './preloaded.js';

/**
 * Where the library of a graft lies, if it can: behind the executable and its heap, which begins within a gigabyte behind it and has 700 megabytes
 * at least before malloc() has to take its memory elsewhere; below two gigabytes. Valgrind gives a program nothing above 64 gigabytes, and AddressSanitizer keeps what lies between 2 and
 * 16384 gigabytes for itself.
 */
const ADDRESS = 0x70000000;

/** Linkers by how they begin to say their version, and their option for the address of a library. Others, such as mold, have none. */
const OPTIONS = [
  [/^GNU (ld|gold) /, '-Ttext-segment'],
  [/^(\w+ )?LLD /, '--image-base'],
] as const;

/**
 * A word for the compiler, for a library of images at a fixed address. Empty where the linker has no option for it, and where the
 * interpreter has no fixed addresses itself: then nearly all pages of an image have pointers that are other ones in each process. Fails as
 * `chooseLinker` does.
 */
export async function addressFlag(
  {baseExecutable, libpython}: Pick<Installation, 'baseExecutable' | 'libpython'>,
  {command, compiler}: CToolchain,
  places: Places,
  site: Site,
): Promise<Result<string>> {
  if (libpython !== null) return ok('');
  const form = await readExecutableForm(baseExecutable);
  if (form === undefined || form.isPositionIndependent) return ok('');
  const linker = await chooseLinker(command, site);
  if (!linker.ok) return linker;
  const asking = `${command} ${linker.value.flag} -Wl,--version`;
  const question = canonicalJson({
    asking,
    compiler: compiler.digest,
    tools: linker.value.tools.map(({digest}) => digest),
  });
  const {environment, context} = site;
  const version = await memoize(
    join(places.work, 'linker.json'),
    question,
    schemaOf<string>(isText),
    async () => {
      const said = await runProcess({
        ...{file: 'sh', args: ['-c', asking], cwd: '/', environment, signal: context.signal},
      });
      return said.ok ? ok({answer: said.value.stdout, files: compiler.files}) : said;
    },
  );
  return version.ok ? ok(addressOption(version.value)) : version;
}

/** The compiler's word for a linker, by what that says of its version. */
export function addressOption(version: string): string {
  const option = OPTIONS.find(([pattern]) => pattern.test(version))?.[1];
  return option === undefined ? '' : `-Wl,${option}=0x${ADDRESS.toString(16)}`;
}

/** Where sections lie in the file and in memory, with all that is between them; undefined for none, and for those of several segments. */
function rangeOf(
  sections: readonly ElfSection[],
): {readonly offset: number; readonly size: number; readonly address: number} | undefined {
  const [first, ...others] = sections.toSorted((a, b) => a.address - b.address);
  const last = others.at(-1) ?? first;
  if (first === undefined || last === undefined) return undefined;
  const {offset, address} = first;
  if (last.offset - offset !== last.address - address) return undefined;
  return {offset, address, size: last.offset + last.bytes.length - offset};
}

/**
 * Puts the pointers of images into the file of a library that was linked with that flag. Where it lies elsewhere in a process, or the
 * interpreter does, the runtime writes them again. Fails with IO, PYTHON and LINK.
 * @param original the interpreter that is going to load the library
 */
export async function fixAddresses(library: string, original: Interpreter): Promise<Result<void>> {
  // It is there for a moment: no other run has to look at it.
  const file = await attempt('read', library, () => withoutRecording(() => readFile(library)));
  if (!file.ok) return file;
  const sections = readElf(file.value)?.sections ?? [];
  const objects = rangeOf(sections.filter(({name}) => ['ff_written', 'ff_string', 'ff_rest'].includes(name)));
  const fixed = rangeOf(sections.filter(({name}) => name === 'ff_fixed'));
  // A linker that ignored the flag.
  if (objects === undefined || fixed === undefined || objects.address < ADDRESS) return ok();
  const request = {library, objects, fixed};
  const done = await withPreloaded(library, original, (interpreter) =>
    runScript(interpreter, 'fix_addresses.py', {
      flags: ['-I', '-S'],
      input: JSON.stringify(request),
      schema: z.literal(true),
      code: 'LINK',
    }),
  );
  return done.ok ? ok() : done;
}
