"""Parts of the shell scripts that start programs."""

# Sets $runfiles to an absolute path. A script may be called through links, or be in the runfiles of another program.
FIND_RUNFILES = """\
case $0 in
/*) self=$0 ;;
*/*) self=$PWD/$0 ;;
*) self=$(command -v -- "$0") ;;
esac
while :; do
  if [ -d "$self.runfiles" ]; then
    runfiles=$self.runfiles
    break
  fi
  case $self in *.runfiles/*)
    runfiles=${self%.runfiles/*}.runfiles
    break
    ;;
  esac
  if [ ! -L "$self" ]; then
    echo "$0: $self.runfiles: no such directory" >&2
    exit 127
  fi
  link=$(readlink "$self")
  case $link in
  /*) self=$link ;;
  *) self=${self%/*}/$link ;;
  esac
done\
"""

# A program's modules are found by a list with colons between its directories.
REFUSE_COLONS = """\
case $runfiles in *:*)
  echo "$0: a directory in PYTHONPATH cannot have a colon in its name: $runfiles" >&2
  exit 127
  ;;
esac\
"""

def quoted(text):
    """A text as one word of a shell script: names of targets may have quotes and dollar signs."""
    return "'" + text.replace("'", "'\\''") + "'"
