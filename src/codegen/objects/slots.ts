import type {Declaration} from '../address-model.js';
import {cArray} from '../c-text.js';

/** A constant that only a running interpreter can make: `ff_built` (src/runtime/flashfreeze.h). */
export interface BuiltConstant {
  readonly kind: 'FROZENSET' | 'SLICE' | 'INT' | 'STR' | 'BYTES' | 'TUPLE';
  /** Of an int; the code point of a str, -1 for an empty one. */
  readonly value?: number;
  /** The C name of a tuple: members, or start, stop and step. */
  readonly items?: string | undefined;
}

/** Adds a slot (the C expression of a variable's member) to the destinations of an object. */
export type AddSlot = (slot: string) => void;

/** The slots of static objects that the runtime fills in when a module is first used. They are collected while objects are emitted. */
export class Slots {
  readonly #strings = new Map<string, Set<string>>();
  readonly #built: {readonly constant: BuiltConstant; readonly slots: string[]}[] = [];

  /** `slot` holds `string` (a C expression), which has to be interned. */
  intern(string: string, slot: string): void {
    const slots = this.#strings.get(string);
    if (slots === undefined) this.#strings.set(string, new Set([slot]));
    else slots.add(slot);
  }

  /** Registers a constant to build, after all those registered before it. */
  build(constant: BuiltConstant): AddSlot {
    const slots: string[] = [];
    this.#built.push({constant, slots});
    return (slot) => {
      slots.push(slot);
    };
  }

  /** The tables `strings`, `built` and what that refers to. */
  declarations(): Declaration[] {
    const groups = [...this.#strings.values()].map((slots) => [...slots].map(address).concat('0'));
    const built = this.#built.map(({constant: {kind, value = 0, items}}, i) => {
      const fields = [
        `FF_BUILD_${kind}`,
        value,
        items === undefined ? '0' : `FF_TO(${items})`,
        `FF_TO(slots${i})`,
      ];
      return cArray(fields);
    });
    return [
      table('ff_slot', 'strings', [...groups.flat(), '0']),
      ...this.#built.map(({slots}, i) => table('ff_slot', `slots${i}`, [...slots.map(address), '0'])),
      table('ff_built', 'built', [...built, '{0, 0, 0, 0}']),
    ];
  }
}

function address(slot: string): string {
  return `FF_TO(${slot})`;
}

/** A table of an image that the runtime reads. */
export function table(type: string, name: string, items: readonly string[]): Declaration {
  return {
    kind: 'table',
    storage: 'static const',
    type,
    name,
    count: items.length,
    value: `{${items.join(',\n')}}`,
  };
}
