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

/** Adds a slot (a place that holds a pointer) to the destinations of an object. */
export type AddSlot = (slot: Address) => void;

/** The slots of static objects that the runtime fills in when a module is first used. They are collected while objects are emitted. */
export class Slots {
  readonly #strings = new Map<Target, Map<string, Address>>();
  readonly #built: {readonly constant: BuiltConstant; readonly slots: Address[]}[] = [];

  /** `slot` holds `string`, which has to be interned. */
  intern(string: Target, slot: Address): void {
    const slots = this.#strings.get(string) ?? new Map<string, Address>();
    this.#strings.set(string, slots);
    slots.set(`${slot.block.index}.${slot.offset}`, slot);
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
    const groups = [...this.#strings.values()].flatMap((slots) => [...slots.values(), undefined]);
    const strings = list.links('strings', [...groups, undefined]).start;
    const rows = this.#built.map(({constant: {kind, value = 0, items}, slots}, i) => ({
      ...{kind: numbers[`built${kind}`], value, items},
      slots: list.links(`slots${i}`, [...slots, undefined]).start,
    }));
    return {strings, built: list.rows('built', 'built', rows).start};
  }
}
