/** Statements that change the import system while it works. */
import {TAG} from '../program.js';
import {type World, pick, quoted} from './world.js';

const print = (what: string): string => `print(${what}, ascii(name))`;

/** A class of meta finders: what it does when it is asked for a module of the program. */
function metaFinder(target: string, does: string): string {
  return [
    'import sys',
    'class Finder:',
    '    asked = 0',
    '    def find_spec(self, name, path=None, target=None):',
    `        if '${TAG}' not in name: return None`,
    '        self.asked += 1',
    `        ${print("'asked', self.asked")}`,
    ...does.split('\n').map((line) => `        ${line.replaceAll('TARGET', target)}`),
    '        return None',
  ].join('\n');
}

const FINDERS = [
  'pass',
  "if name == TARGET: raise ImportError('not this', name=name)",
  'if name == TARGET: raise ValueError(name)',
  "from importlib.machinery import PathFinder\nspec = PathFinder.find_spec(name, path)\nif spec and spec.loader:\n    old = spec.loader.source_to_code\n    spec.loader.source_to_code = lambda data, path, **k: old(data + b'\\nadded = 1\\n', path, **k)\n    return spec",
  "from importlib.machinery import PathFinder\nspec = PathFinder.find_spec(name, path)\nif spec and spec.loader:\n    old = spec.loader.get_data\n    spec.loader.get_data = lambda path: (print('get_data', ascii(path[-20:])), old(path))[1]\n    return spec",
  "from importlib.machinery import PathFinder\nspec = PathFinder.find_spec(name, path)\nif spec and spec.loader:\n    old = spec.loader.exec_module\n    spec.loader.exec_module = lambda module: (print('exec', ascii(module.__name__)), old(module), print('end'))[1]\n    return spec",
  "from importlib.machinery import PathFinder\nspec = PathFinder.find_spec(name, path)\nif spec and spec.loader:\n    spec.loader.create_module = lambda spec: type(sys)(spec.name, 'created')\n    return spec",
  "from importlib.machinery import PathFinder\nspec = PathFinder.find_spec(name, path)\nif spec and spec.loader:\n    spec.loader.path_stats = lambda path: {'mtime': 1, 'size': 1}\n    return spec",
  "from importlib.machinery import SourceFileLoader as S\nif self.asked == 2: S.exec_module = lambda self, module, old=S.exec_module: (print('patched', ascii(module.__name__)), old(self, module))[1]",
  'if self.asked == 2: sys.setprofile(lambda frame, event, arg: None)',
  "if self.asked == 2: sys.addaudithook(lambda event, args: print(event, ascii(args[0])) if event == 'import' and 'TTTTT' in str(args[0]) else None)",
  'if self.asked == 1: sys.modules = dict(sys.modules)',
  "if name == TARGET: sys.modules[name] = 'put there while asked'",
  'if self.asked == 1: sys.path.insert(0, sys.path.pop())',
  'if self.asked < 4: sys.meta_path.append(sys.meta_path.pop(0))',
  'import importlib; importlib.invalidate_caches(); sys.path_importer_cache.clear()',
];

const LEGACY = `import sys
class Legacy:
    def find_module(self, name, path=None):
        if '${TAG}' in name: print('find_module', ascii(name))
        return None
sys.meta_path.insert(0, Legacy())`;

const LEGACY_LOADER = `import sys, types
class LegacyLoader:
    def find_module(self, name, path=None):
        return self if name == TARGET else None
    def load_module(self, name):
        print('load_module', ascii(name))
        return sys.modules.setdefault(name, types.ModuleType(name))
sys.meta_path.insert(0, LegacyLoader())`;

const PATH_HOOK = `import sys
class PathEntry:
    def __init__(self, path): self.path, self.n = path, 0
    def find_spec(self, name, target=None):
        self.n += 1
        print('entry asked', self.n, ascii(name))
        BODY
    def invalidate_caches(self): print('invalidated')
def hook(path):
    if '${TAG}' not in str(path) WHEN: raise ImportError(path)
    return PathEntry(path)
sys.path_hooks.insert(0, hook)`;

const ENTRY_BODIES = [
  'return None',
  "from importlib.machinery import FileFinder, SourceFileLoader; return FileFinder(self.path, (SourceFileLoader, ['.py'])).find_spec(name)",
  'raise ImportError(name)',
  'return None if self.n % 2 else __import__("importlib.machinery").machinery.ModuleSpec(name, None, is_package=True)',
];

const METHODS = [
  ...[
    'SourceFileLoader.exec_module',
    'SourceFileLoader.get_code',
    'SourceFileLoader.create_module',
    'SourceFileLoader.get_data',
  ],
  ...[
    'SourceFileLoader.source_to_code',
    'SourceFileLoader.path_stats',
    'SourceFileLoader.get_filename',
    'FileFinder.find_spec',
  ],
];

const BOOTSTRAP = [
  '_find_spec',
  '_load_unlocked',
  '_init_module_attrs',
  'module_from_spec',
  '_handle_fromlist',
  '_find_and_load_unlocked',
  '_call_with_frames_removed',
  '_lock_unlock_module',
];

const patched = (method: string): string => {
  const [owner = '', name = ''] = method.split('.');
  return [
    `from importlib.machinery import ${owner} as Owner`,
    `def ${name}(self, *args, old=Owner.${name}, **kw):`,
    `    if '${TAG}' in str(args): print('${name}')`,
    '    return old(self, *args, **kw)',
    `Owner.${name} = ${name}`,
  ].join('\n');
};

const bootstrapped = (name: string): string =>
  [
    'import importlib',
    `def ${name}(*args, old=importlib._bootstrap.${name}, **kw):`,
    `    if '${TAG}' in str(args): print('${name}')`,
    '    return old(*args, **kw)',
    `importlib._bootstrap.${name} = ${name}`,
  ].join('\n');

const PLAIN = [
  'import sys; sys.modules = dict(sys.modules)',
  'import sys\nclass Modules(dict): pass\nsys.modules = Modules(sys.modules)',
  'import sys; sys.modules.pop(__name__, None)',
  'import sys, types\nclass Other(types.ModuleType):\n    def __getattr__(self, name): return "other " + name if name[:2] != "__" else super().__getattribute__(name)\nsys.modules[__name__] = Other(__name__)',
  'import sys; sys.modules[__name__].__class__ = type("Sub", (type(sys),), {"extra": property(lambda self: 1)})',
  'import sys; sys.modules[TARGET] = None',
  'import sys; sys.modules[TARGET] = "no module"',
  'import sys, types; sys.modules[TARGET] = types.ModuleType(TARGET)',
  'import sys; sys.modules.pop(TARGET, None)',
  '__spec__.name = "renamedTTTTT"',
  '__spec__ = None',
  'del __spec__',
  '__package__ = "otherTTTTT"',
  '__name__ = "otherTTTTT"',
  '__file__ = "elsewhere.py"',
  '__loader__ = None',
  '__path__ = []',
  'del __path__',
  '__path__.append(__path__[0] + "/../")',
  '__path__ = (each for each in list(__path__))',
  '__path__ = __import__("pkgutil").extend_path(__path__, __name__)',
  '__spec__.submodule_search_locations.clear()',
  '__spec__._initializing = False',
  '__spec__.loader = None',
  'def __getattr__(name):\n    if name[:2] == "__": raise AttributeError(name)\n    return "made " + name',
  'def __getattr__(name):\n    import importlib\n    if name[:2] == "__" or name == "call_1": raise AttributeError(name)\n    return importlib.import_module("." + name, __name__)',
  'def __dir__(): return ["only"]',
  '__all__ = ["call_1", "a", "sub", "missing"]',
  '__all__ = ["call_1"]',
  'import sys; sys.path.insert(0, sys.path.pop())',
  'import sys; sys.path.append(sys.path[0] + "/lib")',
  'import sys; sys.path[:] = [None, b"bytes", 5] + sys.path',
  'import sys; sys.path_importer_cache.clear()',
  'import importlib; importlib.invalidate_caches()',
  'import sys; sys.path_hooks.reverse(); sys.path_importer_cache.clear()',
  'import sys; sys.meta_path.reverse()',
  'import sys; sys.meta_path[:] = [each for each in sys.meta_path if each.__name__ != "FrozenImporter"]',
  // From here on the original compiles, and a frozen interpreter does not (docs/guide.md): what the compiler imports is there already.
  'import linecache, sys, unicodedata; sys.dont_write_bytecode = True; sys.pycache_prefix = "elsewhere"',
  'import os; os.chdir("/")',
  'import warnings; warnings.simplefilter("error")',
  'import sys; sys.setprofile(lambda frame, event, arg: None)',
  `import sys\ndef tracer(frame, event, arg):\n    if '${TAG}' in frame.f_code.co_filename: print('trace', event, frame.f_code.co_name, frame.f_lineno)\n    return tracer\nsys.settrace(tracer)`,
  `import sys; sys.addaudithook(lambda event, args: print(event, ascii(args[0])) if event in ('import', 'exec') and '${TAG}' in str(args[0]) else None)`,
  `import sys\nfor path, finder in list(sys.path_importer_cache.items()):\n    if '${TAG}' in str(path) and finder: finder.find_spec = lambda name, target=None, old=finder.find_spec: (print('instance', ascii(name)), old(name, target))[1]`,
  `import sys\nfor path, finder in list(sys.path_importer_cache.items()):\n    if '${TAG}' in str(path) and hasattr(finder, '_loaders'): finder._loaders.reverse()`,
  `import sys\nfor path, finder in list(sys.path_importer_cache.items()):\n    if '${TAG}' in str(path) and hasattr(finder, '_loaders'): finder._loaders[:] = [each for each in finder._loaders if each[0] != '.py']`,
  'import builtins\ndef importer(name, *args, old=builtins.__import__, **kw):\n    if "TTTTT" in name: print("__import__", ascii(name))\n    return old(name, *args, **kw)\nbuiltins.__import__ = importer',
  'import os, sys\nsys.stdout.flush(); child = os.fork()\nif child == 0:\n    try:\n        import importlib; importlib.import_module(TARGET); print("child", TARGET in sys.modules)\n    except BaseException as error: print("child", type(error).__name__)\n    sys.stdout.flush(); os._exit(0)\nos.waitpid(child, 0)',
  'import runpy\ntry: print(sorted(runpy.run_module(TARGET, run_name="ran"))[:5])\nexcept BaseException as error: print("ran", type(error).__name__, ascii(str(error)))',
  'import pickle\ntry: print(len(pickle.dumps([each for each in globals().values() if callable(each)])))\nexcept Exception as error: print(type(error).__name__)',
  'import sys; print(ascii([name for name in sys.modules if "TTTTT" in name]))',
  'import sys; sys.meta_path = tuple(sys.meta_path)',
  'import sys; sys.path = tuple(sys.path)',
  'import sys; sys.path_hooks = list(sys.path_hooks); sys.path_importer_cache = {}',
  'import sys; getattr(sys, "_clear_type_cache", int)()',
  'import _thread\n_thread.get_ident = lambda old=_thread.get_ident: old()',
  'import importlib._bootstrap as bootstrap\nclass Spec(bootstrap.ModuleSpec): pass\nbootstrap.ModuleSpec = Spec',
  'import importlib._bootstrap as bootstrap\nclass Manager(bootstrap._ModuleLockManager):\n    def __enter__(self):\n        if "TTTTT" in self._name: print("locked", ascii(self._name))\n        return super().__enter__()\nbootstrap._ModuleLockManager = Manager',
  'class Path(list):\n    def __iter__(self):\n        print("path read", ascii(__name__))\n        return super().__iter__()\nif "__path__" in globals(): __path__ = Path(__path__)',
  'import sys\nclass Odd(type(sys)):\n    @property\n    def __spec__(self): print("spec read", ascii(self.__name__)); raise ValueError("spec")\nsys.modules[__name__].__class__ = Odd',
  'import sys\nclass Slow(type(sys)):\n    def __getattribute__(self, name):\n        if name in ("__spec__", "__path__"): print("read", name)\n        return super().__getattribute__(name)\nsys.modules[__name__].__class__ = Slow',
  '__spec__.loader.get_data = lambda path, old=__spec__.loader.get_data: (print("own get_data", path[-4:]), old(path))[1]',
  'import sys\nfor each in list(sys.modules.values()):\n    loader = getattr(getattr(each, "__spec__", None), "loader", None)\n    if "TTTTT" in str(getattr(each, "__name__", "")) and hasattr(loader, "path"): loader.exec_module = lambda module, old=loader.exec_module: (print("own exec_module", ascii(module.__name__)), old(module))[1]',
  'import importlib.machinery as machinery\nmachinery.PathFinder.find_spec = classmethod(lambda cls, name, path=None, target=None, old=machinery.PathFinder.find_spec: (print("path finder", ascii(name)) if "TTTTT" in name else None, old(name, path, target))[1])',
  'import importlib.machinery as machinery\nclass Loader(machinery.SourceFileLoader):\n    def exec_module(self, module):\n        print("loader of ours", ascii(module.__name__))\n        super().exec_module(module)\nimport sys; sys.path_hooks.insert(0, machinery.FileFinder.path_hook((Loader, [".py"]))); sys.path_importer_cache.clear()',
  'import importlib.util\nspec = importlib.util.spec_from_file_location(__name__ + ".made", __file__, submodule_search_locations=[])\nprint(spec.loader.is_package(spec.name), spec.cached == __spec__.cached)',
  'import sys\nclass Modules(dict):\n    def get(self, name, default=None):\n        if "TTTTT" in str(name): print("modules.get", ascii(name))\n        return super().get(name, default)\nsys.modules = Modules(sys.modules)',
  'import sys; print(__name__, __spec__ and getattr(__spec__, "_initializing", "gone"))',
  'import sys, importlib.util; print([(each.filename[-12:], each.name) for each in __import__("traceback").extract_stack() if "importlib" not in each.filename][-2:])',
];

const FAILURES = [
  'raise ValueError("at import")',
  'raise ImportError("at import", name="given", path="given.py")',
  'raise SystemExit(3)',
  'raise KeyboardInterrupt',
  'raise type("Own", (BaseException,), {})("own")',
  '1 / 0',
  'undefined_name',
  'import builtins\nif not hasattr(builtins, "seen_TTTTT"):\n    builtins.seen_TTTTT = 1\n    raise RuntimeError("the first time")',
  'def broken(:\n    pass',
  'return 5',
  'from __future__ import braces',
  'from __future__ import annotations',
  '"invalid \\d escape"',
  'assert (1, "always true")',
  'x is 5',
];

export function trickStatement(world: World): string {
  const {chance} = world;
  const target = quoted(pick(chance, world.places).name);
  const fill = (text: string): string => text.replaceAll('TARGET', target);
  switch (chance.below(10)) {
    case 0:
      return `${metaFinder(target, pick(chance, FINDERS))}\nsys.meta_path.${pick(chance, ['insert(0, Finder())', 'insert(0, Finder())', 'append(Finder())', 'insert(1, Finder())'])}`;
    case 1: {
      const when = pick(chance, ['', "or not str(path).endswith('lib')", 'or path in sys.path']);
      const hook = PATH_HOOK.replace('BODY', pick(chance, ENTRY_BODIES)).replace('WHEN', when);
      return chance.below(2) === 0 ? hook : `${hook}\nsys.path_importer_cache.clear()`;
    }
    case 2:
      return patched(pick(chance, METHODS));
    case 3:
      return bootstrapped(pick(chance, BOOTSTRAP));
    case 4:
      return pick(chance, [LEGACY, fill(LEGACY_LOADER)]);
    default:
      return fill(pick(chance, PLAIN));
  }
}

export function failureStatement({chance}: World): string {
  return pick(chance, FAILURES);
}
