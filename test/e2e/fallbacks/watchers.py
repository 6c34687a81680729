"""Code watchers: nothing is told of static code, and all of any other (3.12 and newer, where the test modules are)."""

import importlib

from scenario import MODULES, answer, module_code

try:
    import _testcapi
except ImportError:
    _testcapi = None
found = "no code watchers"
static = [module_code("textwrap")]
if hasattr(_testcapi, "add_code_watcher"):
    ids = [_testcapi.add_code_watcher(0), _testcapi.add_code_watcher(1)]

    def created():
        return [_testcapi.get_code_watcher_num_created_events(each) for each in ids]

    def destroyed():
        return [_testcapi.get_code_watcher_num_destroyed_events(each) for each in ids]

    counts = [created()]
    made = compile("def f(): return 1", "<watched>", "exec")
    counts.append(created())
    copied = static[0].replace(co_name="copied")
    counts.append(created())
    gone = [destroyed()]
    del made, copied
    gone.append(destroyed())
    found = [[b - a for a, b in zip(one, other)] for one, other in (counts[:2], counts[1:], gone)]
    for name in MODULES:
        importlib.import_module(name)
    for each in ids:
        _testcapi.clear_code_watcher(each)
answer(found, static)
