"""Imports all modules of this folder, so that a trace of this program freezes them."""

import importlib
import sys

sys.tracing = True
for name in (
    *("circle_a", "documented", "größe", "plain", "package", "package.first", "package.inner", "package.beyond"),
    *("package.__main__", "package.data", "spaces.no_package", "spaces.below.leaf", "extended.near", "stack"),
    *("raising", "raising_import", "raising_chain", "raising_package.child", "raising_child.child", "replacing"),
    *("deleting", "deleting_and_raising", "deleting_parent.child", "replacing_parent.child", "exiting", "telling"),
    *("slow_module", "slow_circle_a", "slow_circle_b", "shadowed", "shadowed_package.child", "warning", "renaming"),
    *("told", "filled.child", "links.link_0"),
):
    importlib.import_module(name)
