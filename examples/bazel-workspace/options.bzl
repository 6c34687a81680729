"""How the interpreters of this workspace are made: docs/bazel.md."""

# "overlay" needs nothing but the target's headers; "relink" starts faster, and needs its static archive.
KIND = "overlay"
