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
