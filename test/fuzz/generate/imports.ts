/** Statements that import: of every form, what is there and what is not. */
import {TAG} from '../program.js';
import {type World, isSpoken, oneIn, pick, quoted} from './world.js';

const LIBRARY = [
  'json',
  'colorsys',
  'fractions',
  'keyword',
  'html.entities',
  'xml.dom.minidom',
  'importlib.resources',
  'string',
];

function someName(world: World): string {
  const {chance, places, aliases} = world;
  const names = [...places.map(({name}) => name), ...aliases];
  const name = pick(chance, names);
  if (oneIn(chance, 12)) return `${name}.missing`;
  if (oneIn(chance, 20)) return `missing${TAG}`;
  if (oneIn(chance, 12) && aliases.length > 0)
    return `${pick(chance, aliases)}.${name.split('.').at(-1) ?? 'a'}`;
  return name;
}

const guarded = (statement: string): string =>
  `try:\n    ${statement.replaceAll('\n', '\n    ')}\nexcept BaseException as error:\n    print(ascii(__name__), type(error).__name__, ascii(str(error)), ascii(getattr(error, 'name', None)), ascii(getattr(error, 'path', None)))`;

/** Imports a module that is frozen, and goes on when that fails. */
export function ownImport({chance, frozen, places}: World): string {
  const {name} = pick(chance, frozen.length > 0 ? frozen : places);
  return guarded(
    isSpoken(name) ? `import ${name}` : `import importlib; importlib.import_module(${quoted(name)})`,
  );
}

/** @param inside the module that imports, if it is one */
export function importStatement(world: World, inside?: string): string {
  const {chance} = world;
  const raw = oneImport(world, inside);
  const shown = (body: string): string => body.replaceAll('\n', '\n    ');
  switch (chance.below(8)) {
    case 0:
      return raw;
    case 1:
      return `if ${pick(chance, ['__name__', 'not __name__', '__debug__', "'sys' in globals()"])}:\n    ${shown(raw)}`;
    case 2:
      return `def late():\n    ${shown(raw.includes('import *') ? 'pass' : raw)}\nlate()`;
    case 3:
      return `try:\n    ${shown(raw)}\nexcept Exception:\n    import traceback; traceback.print_exc()`;
    default:
      return guarded(raw);
  }
}

function oneImport(world: World, inside?: string): string {
  const {chance} = world;
  const name = someName(world);
  const last = name.split('.').at(-1) ?? name;
  const parent = name.split('.').slice(0, -1).join('.');
  const isWritten = isSpoken(name);
  if (!isWritten) return called(world, name, inside);
  switch (chance.below(13)) {
    case 0:
    case 1:
    case 2:
      return `import ${name}`;
    case 3:
      return `import ${name} as as_${last.replaceAll(/\W/g, '_')}`;
    case 4:
    case 5:
      return parent === '' ? `from ${name} import call_1` : `from ${parent} import ${last}`;
    case 6:
      return `from ${name} import *`;
    case 7:
      return `from ${pick(chance, ['.', '..', '...', '.....'])}${pick(chance, ['', last])} import ${pick(chance, ['a', 'sub', 'call_1', '*'])}`;
    case 8:
      return `from . import ${pick(chance, ['a', 'b', 'sub', last])}`;
    case 9:
      return `import ${pick(chance, LIBRARY)}`;
    default:
      return called(world, name, inside);
  }
}

function called({chance}: World, name: string, inside: string | undefined): string {
  const text = quoted(name);
  const last = quoted(name.split('.').at(-1) ?? name);
  switch (chance.below(11)) {
    case 0:
    case 1:
    case 2:
      return `import importlib; print(ascii(importlib.import_module(${text}).__name__))`;
    case 3:
      return `__import__(${text}, globals(), locals(), ['a', 'call_1', ''], 0)`;
    case 4:
      return `__import__(${text})`;
    case 5:
      return `import importlib.util; print(ascii(importlib.util.find_spec(${text})))`;
    case 6:
      return `import importlib; importlib.reload(importlib.import_module(${text}))`;
    case 7:
      return `import threading\nthread = threading.Thread(target=__import__, args=(${text},)); thread.start(); thread.join(${inside === undefined ? '' : '2'})`;
    case 8:
      return `import importlib.util, sys\nspec = importlib.util.find_spec(${text}); spec.loader = importlib.util.LazyLoader(spec.loader)\nlazy = importlib.util.module_from_spec(spec); sys.modules[${text}] = lazy; spec.loader.exec_module(lazy)${oneIn(chance, 2) ? '\nprint(lazy.__name__, hasattr(lazy, "call_1"))' : ''}`;
    case 9:
      return `import importlib.util\nspec = importlib.util.find_spec(${text}); made = importlib.util.module_from_spec(spec); spec.loader.exec_module(made); print(ascii(made.__file__))`;
    default:
      return `import importlib; print(importlib.import_module('.' + ${last}, __package__ or None) is not None)`;
  }
}
