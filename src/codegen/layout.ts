import {type Result, fail, ok} from '../model/result.js';

/** The facts about a CPython version that the generator needs. The layout file's C (`layouts/*.h`) has the rest. */
export interface Layout {
  /** `3.13` */
  readonly series: string;
  /** The file's name, which generated C includes. */
  readonly header: string;
  /** The first two bytes of a `.pyc`, little-endian: code of another magic cannot be emitted with this layout. */
  readonly magic: number;
  /** How many rounds SipHash has for sources, for each word and at the end (Python/pyhash.c, `_Py_KeyedHash()`). */
  readonly sipRounds: readonly [perWord: number, atEnd: number];
  /** Which fields a code object has in marshal bytes. */
  readonly codeForm: '3.10' | '3.11';
  /** Ints in this range (both ends included) are the interpreter's own objects. */
  readonly smallInts: readonly [min: number, max: number];
  /** Number of the RESUME instruction, the first traceable one; 3.10 has none. */
  readonly resume: number | undefined;
  /** Whether the interpreter counts references to static objects: none is immortal. */
  readonly countsReferences: boolean;
  /** Whether the interpreter has small ints, the empty tuple, one-character strings … as static objects. */
  readonly staticSingletons: boolean;
  /** Whether bytes of one byte from marshal are the interpreter's own objects. */
  readonly sharesOneByte: boolean;
  /** Whether the interpreter's own strings are interned before the first module is loaded. */
  readonly wellKnownInterned: boolean;
  /** The interpreter's functions whose calls the linker sends to the runtime (`--wrap`). */
  readonly wrapped: readonly string[];
  /**
   * The modules that compile regular expressions, the compiler and the parser first; none where nobody has compared them
   * with what the runtime does in their place.
   */
  readonly reModules: readonly string[];
  /** Whether the runtime takes the place of `compile()`, `eval()` and `exec()`. */
  readonly replacesCompile: boolean;
}

/**
 * Reads the facts out of a layout file: its `#define FF_…` lines with plain values.
 * @param header the file's name, @param text its content. Fails with LAYOUT when a fact is missing.
 */
export function parseLayout(header: string, text: string): Result<Layout> {
  const facts = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/^#define (FF_[A-Z_]+) +("[^"]*"|-?\d+)/gm)) {
    if (name !== undefined && value !== undefined && !facts.has(name))
      facts.set(name, value.replaceAll('"', ''));
  }
  const names = [
    'SERIES',
    'MAGIC',
    'SIPHASH',
    'CODE_FORM',
    'SMALL_INT_MIN',
    'SMALL_INT_MAX',
    'STATIC_SINGLETONS',
    'WELL_KNOWN_INTERNED',
    ...(facts.get('FF_CODE_FORM') === '310' ? [] : ['RESUME']),
  ];
  const missing = names.filter((name) => !facts.has(`FF_${name}`));
  if (missing.length > 0) {
    return fail(
      'LAYOUT',
      `the layout file ${header} does not define ${missing.map((m) => `FF_${m}`).join(', ')}`,
    );
  }
  const number = (name: string): number => Number(facts.get(`FF_${name}`));
  return ok({
    series: facts.get('FF_SERIES') ?? '',
    header,
    magic: number('MAGIC'),
    sipRounds: number('SIPHASH') === 24 ? [2, 4] : [1, 3],
    codeForm: number('CODE_FORM') === 310 ? '3.10' : '3.11',
    smallInts: [number('SMALL_INT_MIN'), number('SMALL_INT_MAX')],
    resume: facts.has('FF_RESUME') ? number('RESUME') : undefined,
    countsReferences: facts.has('FF_COUNTS_REFERENCES') && number('COUNTS_REFERENCES') === 1,
    staticSingletons: number('STATIC_SINGLETONS') === 1,
    sharesOneByte: facts.has('FF_SHARES_ONE_BYTE') && number('SHARES_ONE_BYTE') === 1,
    wellKnownInterned: number('WELL_KNOWN_INTERNED') === 1,
    wrapped: words(facts.get('FF_WRAPPED')),
    reModules: words(facts.get('FF_RE_MODULES')),
    replacesCompile: facts.has('FF_REPLACES_COMPILE') && number('REPLACES_COMPILE') === 1,
  });
}

function words(text = ''): readonly string[] {
  return text.split(' ').filter((word) => word !== '');
}
