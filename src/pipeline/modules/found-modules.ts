import type {ModuleRecord} from '../../cpython/interpreter/modules/modules.js';

/** A module whose name another module has, which is frozen: it is loaded from its file. */
export interface SameName {
  readonly name: string;
  /** The source of the frozen one. */
  readonly frozen: string;
  /** Its own source. */
  readonly other: string;
}

/** Collects modules, each name once, in the order of imports. Names are unique in an interpreter's table of frozen modules. */
export class FoundModules {
  readonly #byName = new Map<string, ModuleRecord>();
  readonly #sameNames = new Map<string, SameName>();

  add(records: readonly ModuleRecord[]): void {
    for (const record of records) {
      const known = this.#byName.get(record.name);
      // A program may have an extension module or nothing but directories where another one has source.
      const isImported = known?.isRun === true && record.isRun !== true && record.origin === known.origin;
      if (known === undefined || isImported || (!canBeFrozen(known) && canBeFrozen(record))) {
        this.#byName.set(record.name, record);
      } else if (record.kind === 'source' && canBeFrozen(known) && record.origin !== known.origin) {
        const {name, origin: other} = record;
        if (other === null || known.origin === null) continue;
        this.#sameNames.set(`${name} ${other}`, {name, frozen: known.origin, other});
      }
    }
  }

  modules(isWanted: (name: string) => boolean): readonly ModuleRecord[] {
    return [...this.#byName.values()].filter(({name}) => isWanted(name));
  }

  /** The modules that are left out because their name is taken. */
  sameNames(isWanted: (name: string) => boolean): readonly SameName[] {
    return [...this.#sameNames.values()].filter(({name}) => isWanted(name));
  }
}

function canBeFrozen({kind}: ModuleRecord): boolean {
  return kind === 'source' || kind === 'frozen';
}
