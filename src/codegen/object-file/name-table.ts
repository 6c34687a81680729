/** A table of names as ELF has them: each ended by a nul, found by its offset; the empty name is at 0. */
export class NameTable {
  readonly #names: string[] = [''];
  readonly #offsets = new Map<string, number>();
  #length = 1;

  /** The offset of a name of ASCII characters, which is added if it is new. */
  add(name: string): number {
    const known = this.#offsets.get(name);
    if (known !== undefined) return known;
    const offset = this.#length;
    this.#names.push(name);
    this.#offsets.set(name, offset);
    this.#length += name.length + 1;
    return offset;
  }

  bytes(): Uint8Array {
    return Buffer.from(`${this.#names.join('\0')}\0`, 'latin1');
  }
}
