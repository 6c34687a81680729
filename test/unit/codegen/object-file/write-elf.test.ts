/** Object files of ours are those that assemblers make from the same text, and linkers take them. */
import {execFileSync, spawnSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {assemblerText} from '../../../../src/codegen/object-file/assembler-text.js';
import type {Machine, ObjectFile} from '../../../../src/codegen/object-file/object-file.js';
import {elfRelocations, elfSymbols, readElf} from '../../../../src/codegen/object-file/read-elf.js';
import {writeElf} from '../../../../src/codegen/object-file/write-elf.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const folder = temporaryDirectory('write-elf');
const at = (name: string): string => join(folder, name);
const tool = (name: string, ...args: string[]): string =>
  execFileSync(name, args, {cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});

/** x86-64, as GNU as marks its files: R_X86_64_64 is 1, R_X86_64_PC32 is 2. */
const MACHINE: Machine = {machine: 62, flags: 0, abi: 0, abiVersion: 0, absolute: 1, distance: 2, notes: []};

/** Two sections, a shared text, and every kind of reference between them. */
const FILE: ObjectFile = {
  sections: [
    {
      name: 'ff_written',
      writable: true,
      align: 8,
      bytes: Buffer.concat([Buffer.alloc(24), Buffer.from('bytes "\\\0\xff', 'latin1'), Buffer.alloc(22)]),
      relocations: [
        {at: 0, target: 'PyCode_Type', addend: 0},
        {at: 8, target: 1, addend: 8},
        {at: 16, target: '_PyRuntime', addend: 0x5ff8},
      ],
      labels: [
        {name: 'c0', at: 0},
        {name: 'c1', at: 24},
      ],
    },
    {
      name: '.rodata',
      writable: false,
      align: 8,
      bytes: Buffer.from('image of mod\0\0\0\0\0\0\0\0\0\0\0\0', 'latin1'),
      relocations: [
        {at: 12, target: 0, addend: 24, form: 'distance'},
        {at: 16, target: 'ff_s_name', addend: 0},
      ],
      labels: [{name: 'name', at: 0}],
    },
    {
      name: 'ff_string',
      writable: true,
      align: 8,
      bytes: Buffer.from('head....name\0\0\0\0', 'latin1'),
      relocations: [{at: 0, target: 'PyUnicode_Type', addend: 0}],
      labels: [{name: 'ff_s_name', at: 0}],
      group: 'ff_s_name',
    },
  ],
  symbols: [{name: 'ff_image_mod', section: 1, offset: 0, size: 16}],
};

/** What linkers see of a file: named sections with their bytes, and what words in them refer to. */
function seen(file: Uint8Array): unknown {
  const elf = readElf(file);
  if (elf === undefined) throw new Error('no ELF file');
  const symbols = elfSymbols(elf);
  const shown = /^(ff_|\.rodata|\.group)/;
  return elf.sections.flatMap(({name, type, align, bytes}, i) => {
    if (!shown.test(name)) return [];
    const words = elfRelocations(elf, symbols, i).map(({at: place, type: kind, symbol, addend}) => ({
      ...{place, kind, symbol: symbol.name, addend},
    }));
    // What a word holds that is relocated is of no account, and groups name sections by number.
    const content = Buffer.from(bytes);
    for (const {place, kind} of words) content.fill(0, place, place + (kind === MACHINE.distance ? 4 : 8));
    return [
      {name, type, align, words, content: name === '.group' ? content.length : content.toString('hex')},
    ];
  });
}

function assembled(text: string, ...assembler: readonly [string, ...string[]]): Uint8Array {
  writeFileSync(at('text.s'), text);
  const [program, ...words] = assembler;
  tool(program, ...words, 'text.s', '-o', 'assembled.o');
  return readFileSync(at('assembled.o'));
}

const hasClang = spawnSync('clang', ['--version']).status === 0;
const byName = (parts: unknown): unknown =>
  (parts as {name: string; content: string}[]).toSorted((a, b) =>
    `${a.name} ${a.content}`.localeCompare(`${b.name} ${b.content}`),
  );

const assemblers: readonly (readonly [string, readonly [string, ...string[]]])[] = [
  ['GNU as', ['as', '--64']],
  ...(hasClang ? [['clang', ['clang', '-c']] as const] : []),
];
test.each(assemblers)('the same as %s makes', (_, [program, ...words]) => {
  const ours = writeElf(FILE, MACHINE);
  expect(byName(seen(ours))).toEqual(byName(seen(assembled(assemblerText(FILE), program, ...words))));
});

test('readelf and the linker find nothing to say of it', () => {
  writeFileSync(at('a.o'), writeElf(FILE, MACHINE));
  const read = spawnSync('readelf', ['-aW', at('a.o')], {encoding: 'utf8'});
  expect({status: read.status, stderr: read.stderr}).toEqual({status: 0, stderr: ''});
  expect(read.stdout).not.toMatch(/warning|<corrupt|<unknown/i);
  // Two files with the text: the linker keeps one.
  const other: ObjectFile = {...FILE, symbols: [{name: 'ff_image_other', section: 1, offset: 0, size: 16}]};
  writeFileSync(at('b.o'), writeElf(other, MACHINE));
  expect(tool('ld', '-r', '--fatal-warnings', 'a.o', 'b.o', '-o', 'both.o')).toBe('');
  const names = tool('nm', 'both.o').match(/ff_s_name/g);
  expect(names).toHaveLength(1);
  const sections = readElf(readFileSync(at('both.o')))?.sections ?? [];
  expect(sections.filter(({name}) => name === 'ff_string').map(({bytes}) => bytes.length)).toEqual([16]);
});

test('the stack stays without code, and notes of the compiler are kept', () => {
  const note = {name: '.note.gnu.property', align: 8, bytes: Buffer.from('note')};
  const sections = readElf(writeElf(FILE, {...MACHINE, notes: [note]}))?.sections ?? [];
  expect(sections.map(({name}) => name)).toEqual(
    expect.arrayContaining(['.note.GNU-stack', '.note.gnu.property']),
  );
});

test('what was written is read back, and another machine is only other numbers', () => {
  const numbers = {machine: 183, flags: 5, abi: 3, abiVersion: 1, absolute: 257, distance: 261, notes: []};
  const elf = readElf(writeElf(FILE, numbers));
  expect(elf).toMatchObject({machine: 183, flags: 5, abi: 3, abiVersion: 1});
  const types = elf?.sections.flatMap((_, i) =>
    elfRelocations(elf, elfSymbols(elf), i).map(({type}) => type),
  );
  expect(new Set(types)).toEqual(new Set([257, 261]));
});

/** Any file: sections of random bytes whose words refer to each other and to others. */
const files = fc
  .array(
    fc.record({
      name: fc.constantFrom('ff_written', 'ff_data', '.rodata'),
      words: fc.array(fc.uint8Array({minLength: 8, maxLength: 8}), {minLength: 1, maxLength: 12}),
      targets: fc.array(fc.option(fc.constantFrom('PyCode_Type', '_PyRuntime', 0), {nil: undefined}), {
        maxLength: 12,
      }),
      addend: fc.nat(0x1_0000_0000),
      isDistance: fc.boolean(),
    }),
    {minLength: 1, maxLength: 4},
  )
  .map((drafts): ObjectFile => {
    const unique = drafts.filter(({name}, i) => drafts.findIndex((each) => each.name === name) === i);
    const first = Buffer.concat(unique[0]?.words ?? []).length;
    return {
      sections: unique.map(({name, words, targets, addend, isDistance}, own) => ({
        ...{name, writable: name !== '.rodata', align: 8, bytes: Buffer.concat(words)},
        relocations: words.flatMap((_, i) => {
          const target = targets[i];
          if (target === undefined) return [];
          const word = {at: 8 * i, target, addend: target === 0 ? addend % first : addend};
          // Assemblers know distances within a section.
          const hasDistance = isDistance && i % 2 === 1 && target !== own;
          return [hasDistance ? {...word, form: 'distance' as const} : word];
        }),
        labels: words.flatMap((_, i) =>
          i % 3 === 0 ? [{name: `${name.replace('.', '')}${i}`, at: 8 * i}] : [],
        ),
      })),
      symbols: [{name: 'ff_image_m', section: 0, offset: 0, size: first}],
    };
  });

test('whatever the file, assembler text gives the same', () => {
  fc.assert(
    fc.property(files, (file) => {
      expect(byName(seen(writeElf(file, MACHINE)))).toEqual(
        byName(seen(assembled(assemblerText(file), 'as', '--64'))),
      );
    }),
    {numRuns: 40},
  );
});
