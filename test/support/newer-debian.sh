#!/bin/sh
# Builds a root folder of Debian forky, which has the newer Pythons as the distribution ships them, and prints its path.
#
# The root lies in the cache folder of the tests, is built once (a minute, 0.8 GB), and again when the list of packages
# here changes. The mirror is the one that this machine's own apt uses. Needs root: debootstrap makes device files and
# runs programs of the new root in it. Nothing stays mounted, whatever happens.
set -eu

SUITE=forky
PACKAGES='gcc libc6-dev make valgrind'
for series in 3.14 3.15; do
  PACKAGES="$PACKAGES python$series python$series-venv libpython$series-dev libpython$series-testsuite"
done
# Another variant of the recipe gives another root: what is new in the steps below is a new number here.
RECIPE="1 $SUITE $PACKAGES"

PATH=$PATH:/usr/sbin:/sbin
folder=${FLASHFREEZE_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/flashfreeze-test}
root=$folder/$SUITE-root
building=$root.building
log=$root.log

refuse() {
  echo "no root of Debian $SUITE: $*" >&2
  exit 1
}

is_whole() { [ "$(cat "$root/.recipe" 2>/dev/null)" = "$RECIPE" ]; }

# A release's own archive: updates and security fixes have a hyphen in the suite's name.
mirror() {
  apt-get indextargets --format '$(ORIGIN)|$(SUITE)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    sed -n 's/^Debian|[a-z]*|//p' | head -n 1
}

if is_whole; then
  echo "$root"
  exit
fi

[ "$(uname -s)" = Linux ] || refuse 'this is no Linux'
[ "$(id -u)" = 0 ] || refuse 'it takes root to build one'
for tool in debootstrap unshare flock wget apt-get; do
  command -v $tool >/dev/null || refuse "there is no $tool"
done
mirror=$(mirror)
[ -n "$mirror" ] || refuse "apt takes its packages from no archive of Debian's"

mkdir -p "$folder"
exec 9>"$root.lock"
flock 9
if ! is_whole; then # nobody else built it while we waited
  # debootstrap would try a mirror that does not answer for a very long time.
  wget --quiet --tries=2 --timeout=10 --spider "${mirror%/}/dists/$SUITE/Release" ||
    refuse 'the archive that apt takes its packages from has none, or cannot be reached'
  rm -rf "$building"
  # Mounts and processes of debootstrap end with the namespaces that they are in. The debootstrap of an older Debian has
  # no script for this suite; the one for sid fits it.
  unshare --mount --pid --fork --kill-child \
    debootstrap --variant=minbase --include="$(echo "$PACKAGES" | tr ' ' ,)" \
    "$SUITE" "$building" "$mirror" /usr/share/debootstrap/scripts/sid >"$log" 2>&1 </dev/null ||
    refuse "debootstrap failed: $(tail -n 3 "$log" | tr '\n' ' ')(all of it: $log)"
  rm -rf "$building"/var/cache/apt/* "$building"/var/lib/apt/lists/*
  : >"$building/usr/local/bin/node" # what newer-debian-run.sh mounts this machine's node on
  echo "$RECIPE" >"$building/.recipe"
  rm -rf "$root.old"
  [ ! -e "$root" ] || mv "$root" "$root.old"
  mv "$building" "$root"
  rm -rf "$root.old"
fi
echo "$root"
