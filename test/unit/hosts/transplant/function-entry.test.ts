import {describe, expect, test} from '@jest/globals';
import {type FunctionEntry, replaceEntry} from '../../../../src/hosts/transplant/function-entry.js';
import {instructionAt} from '../../../../src/hosts/transplant/x86-instruction.js';

const START = 0x400000;
const NONE = (): boolean => false;

/** A byte, or the distance from behind itself to an address. */
type Word = number | {readonly to: number};

function code(...words: Word[]): {bytes: Buffer; address: number} {
  const bytes: number[] = [];
  for (const word of words) {
    if (typeof word === 'number') {
      bytes.push(word);
      continue;
    }
    const distance = Buffer.alloc(4);
    distance.writeInt32LE(word.to - (START + bytes.length + 4));
    bytes.push(...distance);
  }
  return {bytes: Buffer.from(bytes), address: START};
}

const PUSHES = [0x41, 0x57, 0x41, 0x56, 0x41, 0x55];
const RETURN = 0xc3;

function replaced(...words: Word[]): FunctionEntry {
  const entry = replaceEntry(code(...words), START, NONE);
  if (typeof entry === 'string') throw new Error(entry);
  return entry;
}

describe('instructionAt', () => {
  test.each([
    ['push %r15', [0x41, 0x57], {size: 2}],
    ['sub $0x18,%rsp', [0x48, 0x83, 0xec, 0x18], {size: 4}],
    ['sub $0x1000,%rsp', [0x48, 0x81, 0xec, 0, 0x10, 0, 0], {size: 7}],
    ['mov 0x58cd4a(%rip),%eax', [0x8b, 0x05, 0x4a, 0xcd, 0x58, 0], {size: 6, distanceAt: 2}],
    ['cmpl $0,0x10(%rip)', [0x83, 0x3d, 0x10, 0, 0, 0, 0], {size: 7, distanceAt: 2}],
    ['movl $1,0x8(%rsp)', [0xc7, 0x44, 0x24, 8, 1, 0, 0, 0], {size: 8}],
    ['mov %fs:-0x18,%rax', [0x64, 0x48, 0x8b, 0x04, 0x25, 0xe8, 0xff, 0xff, 0xff], {size: 9}],
    ['mov 0x90(%rbx),%eax', [0x8b, 0x83, 0x90, 0, 0, 0], {size: 6}],
    ['movabs $1,%rax', [0x48, 0xb8, 1, 0, 0, 0, 0, 0, 0, 0], {size: 10}],
    ['mov $2,%esi', [0xbe, 2, 0, 0, 0], {size: 5}],
    ['call', [0xe8, 0, 0, 0, 0], {size: 5, distanceAt: 1}],
    ['jmp', [0xe9, 0, 0, 0, 0], {size: 5, distanceAt: 1, isJump: true}],
    ['endbr64', [0xf3, 0x0f, 0x1e, 0xfa], {size: 4, isMark: true}],
  ])('%s', (_, bytes, expected) => {
    expect(instructionAt(Uint8Array.from(bytes), 0)).toEqual(expected);
  });

  test.each([
    ['ret', [0xc3]],
    ['je', [0x74, 0x10]],
    ['rep stos', [0xf3, 0x48, 0xab]],
    ['a prefix of another size', [0x66, 0x89, 0xd8]],
    ['nothing', []],
  ])('%s is not known', (_, bytes) => {
    expect(instructionAt(Uint8Array.from(bytes), 0)).toBeUndefined();
  });
});

describe('replaceEntry', () => {
  test('displaces whole instructions, as many as a jump takes', () => {
    expect(replaced(...PUSHES, RETURN)).toEqual({
      jumps: [START],
      displaced: [
        [0x41, 0x57],
        [0x41, 0x56],
        [0x41, 0x55],
      ].map((bytes) => Buffer.from(bytes)),
      rest: START + 6,
    });
  });

  test('what counts from its own place leads where it led', () => {
    const entry = replaced(0x53, 0x8b, 0x05, {to: START + 0x5000}, RETURN);
    expect(entry.rest).toBe(START + 7);
    expect(entry.displaced).toContainEqual({to: START + 0x5000, behind: 0});
    const compared = replaced(0x83, 0x3d, {to: START + 0x5000 - 1}, 7, RETURN);
    expect(compared.displaced).toContainEqual({to: START + 0x5000, behind: 1});
  });

  test('a mark for calls stays where it is', () => {
    expect(replaced(0xf3, 0x0f, 0x1e, 0xfa, ...PUSHES, RETURN).jumps).toEqual([START + 4]);
  });

  test('a function that only jumps to one without a name is that one', () => {
    const words: Word[] = [0xe9, {to: START + 8}, 0x90, 0x90, 0x90, ...PUSHES, RETURN];
    expect(replaced(...words)).toMatchObject({jumps: [START, START + 8], rest: START + 14});
    const named = replaceEntry(code(...words), START, (address) => address === START + 8);
    expect(named).toMatchObject({jumps: [START], rest: START + 5});
  });

  test.each<[string, Word[], string]>([
    [
      'instructions that are not known',
      [0x53, 0xf3, 0x48, 0xab, RETURN],
      'nothing is known of the instruction at 0x400001',
    ],
    ['a near jump into its beginning', [...PUSHES, 0x75, 0xfa, RETURN], 'jump into its beginning'],
    [
      'a far jump into its beginning',
      [...PUSHES, 0x0f, 0x84, {to: START + 4}, RETURN],
      'jump into its beginning',
    ],
    ['a jump to itself', [0xe9, {to: START}], 'it jumps to itself'],
    ['a function that ends too early', [0x53, RETURN], 'nothing is known'],
  ])('%s: refused', (_, words, reason) => {
    expect(replaceEntry(code(...words), START, NONE)).toContain(reason);
  });

  test('a jump to its first instruction, or into the middle of one, is none into its beginning', () => {
    expect(replaced(...PUSHES, 0x75, 0xf8, 0xeb, 0xf7, RETURN).rest).toBe(START + 6);
  });
});
