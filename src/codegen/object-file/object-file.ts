/** What a relocatable object file of ELF says of the machine that it is for: enough to write others for the same one. */
export interface Machine {
  /** e_machine and e_flags of the file's header (elf(5)). */
  readonly machine: number;
  readonly flags: number;
  /** The bytes EI_OSABI and EI_ABIVERSION. */
  readonly abi: number;
  readonly abiVersion: number;
  /** The type of a relocation that puts the address of a symbol plus an addend into eight bytes. */
  readonly absolute: number;
  /** The same for one that puts the distance from its own place to a symbol into four bytes. */
  readonly distance: number;
  /** Notes that the linker compares between all objects, such as `.note.gnu.property`. */
  readonly notes: readonly Note[];
}

export interface Note {
  readonly name: string;
  readonly align: number;
  readonly bytes: Uint8Array;
}

/** A word that leads to a symbol, or to a place in a section of the same file. */
export interface Relocation {
  /** The offset of the word in its section. */
  readonly at: number;
  /** The name of a symbol, or the index of a section in `ObjectFile.sections`. */
  readonly target: string | number;
  readonly addend: number;
  /** Not given: the address, in eight bytes. `distance`: how far that is from the word itself, in four bytes. */
  readonly form?: 'distance';
}

export interface ObjectSection {
  readonly name: string;
  readonly writable: boolean;
  readonly align: number;
  readonly bytes: Uint8Array;
  /** In the order of their places. */
  readonly relocations: readonly Relocation[];
  /** Names of places for people, which only assembler text has; in the order of these. */
  readonly labels: readonly {readonly name: string; readonly at: number}[];
  /** The name of the weak symbol at its start, if the linker keeps one section of this name and symbol out of several files. */
  readonly group?: string;
}

/** A symbol that the other files of an executable or library may refer to, and nobody else. */
export interface DefinedSymbol {
  readonly name: string;
  readonly section: number;
  readonly offset: number;
  readonly size: number;
}

/** A relocatable object file that holds initialised data. */
export interface ObjectFile {
  readonly sections: readonly ObjectSection[];
  readonly symbols: readonly DefinedSymbol[];
}

/** The most sections with a group that a file should have: linkers keep some hundred bytes for each, and files have numbers for 65,000. */
export const MOST_SHARED = 4096;
