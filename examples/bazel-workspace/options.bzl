"""Options for the interpreters of this workspace (docs/bazel.md)."""

# "overlay" needs only the target's headers. "relink" starts faster, and needs its static archive.
KIND = "overlay"
