import type {Address, Target} from '../blocks/block.js';
import type {BlockList} from '../blocks/block-list.js';
import type {ImageLayout} from '../probe/image-layout.js';
import type {BuiltKind} from '../probe/probe-source.js';

/** A constant that only a running interpreter can make: `ff_built` (src/runtime/flashfreeze.h). */
export interface BuiltConstant {
  readonly kind: BuiltKind;
  /** Of an int; the code point of a str, -1 for an empty one. */
  readonly value?: number;
  /** A tuple: members, or start, stop and step. */
  readonly items?: Target | undefined;
}

/** In bytes: a slot and the number of its block are one number of 53 bits. */
const LARGEST_BLOCK = 2 ** 30;

/** Adds a slot (a place that holds a pointer) to the destinations of an object. */
export type AddSlot = (slot: Address) => void;

/** The slots of static objects that the runtime fills in when a module is first used. They are collected while objects are emitted. */
export class Slots {
  readonly #strings = new Map<Target, Address[]>();
  /** The slots of strings, each as one number: most strings have one slot, and there are hundreds of thousands of them. */
  readonly #known = new Set<number>();
  readonly #built: {readonly constant: BuiltConstant; readonly slots: Address[]}[] = [];

  /** `slot` holds `string`, which has to be interned. */
  intern(string: Target, slot: Address): void {
    const number = slot.block.index * LARGEST_BLOCK + slot.offset;
    if (this.#known.has(number)) return;
    this.#known.add(number);
    const slots = this.#strings.get(string);
    if (slots === undefined) this.#strings.set(string, [slot]);
    else slots.push(slot);
  }

  /** Registers a constant to build, after all those registered before it. */
  build(constant: BuiltConstant): AddSlot {
    const slots: Address[] = [];
    this.#built.push({constant, slots});
    return (slot) => {
      slots.push(slot);
    };
  }

  /** Makes the tables `strings`, `built` and what that refers to. */
  addTables(list: BlockList, {numbers}: ImageLayout): {readonly strings: Address; readonly built: Address} {
    const groups = [...this.#strings.values()].flatMap((slots) => [...slots, undefined]);
    const strings = list.links('strings', [...groups, undefined]).start;
    const rows = this.#built.map(({constant: {kind, value = 0, items}, slots}, i) => ({
      ...{kind: numbers[`built${kind}`], value, items},
      slots: list.links(`slots${i}`, [...slots, undefined]).start,
    }));
    return {strings, built: list.rows('built', 'built', rows).start};
  }
}
