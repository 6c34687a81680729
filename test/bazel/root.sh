#!/bin/sh
# root.sh SUITE: builds a root folder of a Debian suite with Bazel, a C compiler and Pythons with headers, and prints its
# path. `forky` has Bazel 7.7.1 and Python 3.14 and 3.15, `bookworm` Bazel 4.2.3 and Python 3.11.
#
# The root lies in the cache folder of the tests, is built once (two minutes, 1.3 GB each), and again when the list of
# packages here changes. The mirror is the one that this machine's own apt uses. Needs root: debootstrap makes device files
# and runs programs of the new root in it. Nothing stays mounted, whatever happens.
set -eu

SUITE=${1:?root.sh SUITE}
PACKAGES='gcc libc6-dev bazel-bootstrap'
case $SUITE in
forky) PACKAGES="$PACKAGES python3.14 libpython3.14-dev python3.15 libpython3.15-dev" script=sid ;;
bookworm) PACKAGES="$PACKAGES python3.11 libpython3.11-dev" script=bookworm ;;
*)
  echo "no recipe for Debian $SUITE" >&2
  exit 1
  ;;
esac
RECIPE="1 $SUITE $PACKAGES"

PATH=$PATH:/usr/sbin:/sbin
folder=${FLASHFREEZE_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/flashfreeze-test}
root=$folder/bazel-root-$SUITE
building=$root.building
log=$root.log

refuse() {
  echo "no root of Debian $SUITE with Bazel: $*" >&2
  exit 1
}

is_whole() { [ "$(cat "$root/.recipe" 2>/dev/null)" = "$RECIPE" ]; }

# A release's own archive: updates and security fixes have a hyphen in the suite's name.
mirror() {
  apt-get indextargets --format '$(ORIGIN)|$(SUITE)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    sed -n 's/^Debian|[a-z]*|//p' | head -n 1
}

# in_root COMMAND…: in the root that is being built, with /proc and /dev, which Java wants when it is set up.
in_root() {
  unshare --mount --pid --fork --kill-child sh -euc '
    root=$1; shift
    mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; cp /etc/resolv.conf "$root/etc/resolv.conf"
    exec chroot "$root" env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"
  ' sh "$building" "$@" >>"$log" 2>&1 </dev/null
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
  : >"$log"
  unshare --mount --pid --fork --kill-child \
    debootstrap --variant=minbase "$SUITE" "$building" "$mirror" "/usr/share/debootstrap/scripts/$script" \
    >>"$log" 2>&1 </dev/null || refuse "debootstrap failed (its words: $log)"
  # The settings by which this machine's apt reaches the archive (a proxy, say).
  cp /etc/apt/apt.conf.d/* "$building/etc/apt/apt.conf.d/" 2>/dev/null || true
  in_root apt-get update && in_root apt-get install -y --no-install-recommends $PACKAGES ||
    refuse "the packages could not be installed (apt's words: $log)"
  rm -rf "$building"/var/cache/apt/* "$building"/var/lib/apt/lists/*
  : >"$building/usr/local/bin/node" # what run-in-root.sh mounts this machine's node on
  echo "$RECIPE" >"$building/.recipe"
  rm -rf "$root.old"
  [ ! -e "$root" ] || mv "$root" "$root.old"
  mv "$building" "$root"
  rm -rf "$root.old"
fi
echo "$root"
