/** Sections and members of files that real tools made, compared with what these tools say of them. */
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, test} from '@jest/globals';
import {readElf} from '../../../../src/codegen/object-file/read-elf.js';
import {archiveMembers} from '../../../../src/release/reproduction/archive-members.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const folder = temporaryDirectory('elf');
const read = (name: string): Buffer => readFileSync(join(folder, name));
const tool = (name: string, ...args: string[]): string =>
  execFileSync(name, args, {cwd: folder, encoding: 'utf8'});
const LONG = 'a_name_that_is_longer_than_sixteen.o';

beforeAll(() => {
  const text = 'char filled[100] = "text"; char empty[4000]; int main(void) { return filled[0]; }\n';
  writeFileSync(join(folder, 'main.c'), text);
  tool('cc', '-c', 'main.c', '-o', 'main.o');
  tool('cc', 'main.c', '-o', 'program');
  writeFileSync(join(folder, LONG), 'seventeen bytes ..');
  tool('ar', 'rcsD', 'lib.a', 'main.o', LONG);
});

test.each(['main.o', 'program'])('the sections of %s are those that readelf lists', (name) => {
  // Number, name, type, address, offset, size; section 0 has no name.
  const rows = tool('readelf', '-SW', name).matchAll(
    /^ +\[ *[1-9]\d*\] (\S+) +(\S+) +\S+ +\S+ +([0-9a-f]+)/gm,
  );
  const listed = [...rows].map(([, section, type, size = '']) => ({
    name: section,
    size: type === 'NOBITS' ? 0 : parseInt(size, 16),
  }));
  const found = readElf(read(name))?.sections.map(({name: section, bytes}) => ({
    name: section,
    size: bytes.length,
  }));
  expect(found?.length).toBeGreaterThan(5);
  expect(found?.slice(1)).toEqual(listed);
});

test('a section has the bytes of the file', () => {
  const data = readElf(read('program'))?.sections.find(({name}) => name === '.data');
  expect(Buffer.from(data?.bytes ?? []).toString('latin1')).toContain('text\0');
});

test('the members of an archive are those that ar packed, with long names and of odd length', () => {
  const members = archiveMembers(read('lib.a'));
  expect(members?.map(({name}) => name)).toEqual(['its symbol table', 'main.o', LONG]);
  for (const name of ['main.o', LONG]) {
    const member = members?.find((each) => each.name === name);
    expect(Buffer.from(member?.bytes ?? []).equals(read(name))).toBe(true);
  }
});

test('other files, and damaged ones, are neither', () => {
  const program = read('program');
  const others = [Buffer.alloc(0), Buffer.from('#!/bin/sh\n'), Buffer.alloc(200, 0x7f), read('main.c')];
  for (const other of others) expect([readElf(other), archiveMembers(other)]).toEqual([undefined, undefined]);
  const big = Buffer.from(program);
  big[5] = 2; // big-endian
  expect(readElf(big)).toBeUndefined();
  // Without its table of sections.
  expect(readElf(program.subarray(0, program.length - 64))).toBeUndefined();
  const broken = Buffer.from(read('lib.a'));
  broken.write('??????????', 8 + 48, 'latin1');
  expect(archiveMembers(broken)).toBeUndefined();
});
