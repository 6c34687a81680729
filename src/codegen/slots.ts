/** Places in static objects that the runtime writes when a module is first used, collected while objects are emitted. */
export class Slots {
  readonly #strings = new Map<string, Set<string>>();
  readonly #frozensets: {readonly items: string; readonly slots: string[]}[] = [];

  /** `slot` (a C expression for its address) holds `string` (an expression too), which has to be interned. */
  intern(string: string, slot: string): void {
    const slots = this.#strings.get(string);
    if (slots === undefined) this.#strings.set(string, new Set([slot]));
    else slots.add(slot);
  }

  /** Announces a frozenset with the items of a static tuple; returns a function that adds a slot which wants it. */
  frozenset(items: string): (slot: string) => void {
    const slots: string[] = [];
    this.#frozensets.push({items, slots});
    return (slot) => {
      slots.push(slot);
    };
  }

  /** The tables `strings` and `frozensets` of an image (src/runtime/flashfreeze.h). */
  emit(): string[] {
    const groups = [...this.#strings.values()].map((slots) => `${[...slots].join(', ')}, NULL,\n`);
    const lines = [`static PyObject **const strings[] = {\n${groups.join('')}NULL};`];
    this.#frozensets.forEach(({slots}, i) => {
      lines.push(`static PyObject **const set_slots${i}[] = {${[...slots, 'NULL'].join(', ')}};`);
    });
    const sets = this.#frozensets.map(({items}, i) => `{${items}, set_slots${i}},\n`);
    lines.push(`static const ff_frozenset frozensets[] = {\n${sets.join('')}{NULL, NULL}};`);
    return lines;
  }
}
