import type {Word} from '../probe/image-layout.js';

/** What a block is: a Python object by its type, or a table that only the runtime reads. */
export type BlockKind = 'code' | 'tuple' | 'str' | 'bytes' | 'int' | 'float' | 'complex' | 'table';

/**
 * Where a block lies in an image of variables (blocks/variables.ts), by how it is used: `shared` is text that several modules may have, of which the linker keeps one.
 */
export type Place = 'code' | 'tuple' | 'name' | 'text' | 'value' | 'data' | 'path' | 'constant' | 'shared';

/** A place in a block. */
export interface Address {
  readonly block: Block;
  readonly offset: number;
}

/** What a word stands for: a place in the image, or something of the interpreter's. */
export type Target = Address | Word;

/** A word of a block whose value is known when all blocks have their place. */
export interface PendingWord {
  readonly at: number;
  readonly target: Target;
  /** A pointer to an object, or a link of a table (FF_LINK). */
  readonly form: 'object' | 'link';
}

/** A piece of an image that is laid out as a whole: its bytes, and the words in it that refer to something. */
export class Block {
  /** The whole block: one address is one object, so that addresses can be compared. */
  readonly start: Address = {block: this, offset: 0};

  /**
   * @param index the number of the block in its image
   * @param letter the first letter of its name, or (with `isNamed`) all of it
   * @param object where the Python object begins in it
   */
  constructor(
    readonly index: number,
    private readonly letter: string,
    readonly kind: BlockKind,
    readonly place: Place,
    readonly bytes: Uint8Array,
    readonly align: number,
    readonly object = 0,
    private readonly isNamed = false,
    readonly words: PendingWord[] = [],
  ) {}

  /** What people read in its place, in assembler text: unique in the image. */
  get name(): string {
    return this.isNamed ? this.letter : `${this.letter}${this.index}`;
  }
}

export function isAddress(target: Target): target is Address {
  return 'block' in target;
}
