/** Programs to files. */
import {Buffer} from 'node:buffer';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {type Edit, type Encoding, type ModuleFile, type Program, TAG} from './program.js';

/** A path, or text, in which a lone surrogate is a byte, as bytes. */
export function toBytes(text: string): Buffer {
  const parts = text.split(/([\udc80-\udcff])/u);
  return Buffer.concat(
    parts.map((part) =>
      part.length === 1 && part >= '\udc80' && part <= '\udcff'
        ? Buffer.from([part.charCodeAt(0) - 0xdc00])
        : Buffer.from(part),
    ),
  );
}

/** A program that lies in a directory, with its tag. */
export interface Written {
  readonly program: Program;
  readonly tag: string;
  readonly folder: string;
}

/** Puts the tag in. */
export const tagged = (text: string, tag: string): string => text.replaceAll(TAG, tag);

/** A time that no bytecode is younger than. */
const OLD = new Date('2024-05-06T07:08:09Z');

/** Writes the files of a program, without its bytecode. Sources are some years old. */
export function writeProgram(program: Program, tag: string, folder: string): Written {
  for (const file of program.files) {
    const path = toBytes(`${folder}/${tagged(file.path, tag)}`);
    mkdirSync(parentOf(path), {recursive: true});
    if (existsSync(path)) continue;
    if (file.kind === 'link') symlinkSync(toBytes(tagged(file.to, tag)), path);
    else {
      writeFileSync(path, file.kind === 'data' ? tagged(file.text, tag) : encoded(file, tag));
      utimesSync(path, OLD, OLD);
    }
  }
  mkdirSync(folder, {recursive: true});
  return {program, tag, folder};
}

const parentOf = (path: Buffer): Buffer => path.subarray(0, path.lastIndexOf('/'));

/** What the file of a module holds. */
function encoded({statements, encoding}: ModuleFile, tag: string): Buffer {
  const text = tagged(`${statements.join('\n')}\n`, tag);
  const declared: Partial<Record<Encoding, string>> = {
    'latin-1': 'latin-1',
    cp1251: 'cp1251',
    unknown: 'no-such-codec',
  };
  const name = declared[encoding];
  const full = name === undefined ? text : `# -*- coding: ${name} -*-\n${text}odd = 'ÀÿЖ'\n`;
  switch (encoding) {
    case 'utf-8-sig':
      return Buffer.from(`\ufeff${full}`);
    case 'utf-16':
      return Buffer.from(`\ufeff${full}`, 'utf16le');
    case 'latin-1':
    case 'cp1251':
      return Buffer.from(full, 'latin1');
    case 'nul':
      return Buffer.from(`${full}\0`);
    case 'crlf':
      return Buffer.from(full.replaceAll('\n', '\r\n'));
    case 'cr':
      return Buffer.from(full.replaceAll('\n', '\r'));
    case 'unknown':
    case 'utf-8':
      return Buffer.from(full);
  }
}

/** Does to the files what is done after the build. */
export function editProgram({program, tag, folder}: Written): void {
  for (const each of program.edits) apply(each, toBytes(`${folder}/${tagged(each.path, tag)}`));
}

function apply({how}: Edit, path: Buffer): void {
  if (!existsSync(path) || lstatSync(path).isSymbolicLink()) return;
  const without = path.subarray(0, -'.py'.length);
  const other = Buffer.concat([without, Buffer.from('_other.py')]);
  switch (how) {
    case 'rewrite':
      writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from("\nedited = 'yes'\n")]));
      break;
    case 'touch':
      utimesSync(path, new Date(), new Date());
      break;
    case 'remove':
      rmSync(path);
      break;
    case 'folder-beside':
      mkdirSync(without, {recursive: true});
      writeFileSync(Buffer.concat([without, Buffer.from('/__init__.py')]), "print('the package beside')\n");
      break;
    case 'link':
      renameSync(path, other);
      writeFileSync(other, Buffer.concat([readFileSync(other), Buffer.from("\nedited = 'behind a link'\n")]));
      symlinkSync(other, path);
  }
}
