#!/bin/sh
# debian-root.sh NAME [--kept]: builds a root folder of a Debian suite, with packages as the distribution ships them, and prints its
# path. The names are those of the recipes below. A root of another architecture runs under an emulator (qemu-user-static).
# --kept: one that is not there is not built.
#
# The root lies in the cache folder of the tests, is built once (a minute or two, under an emulator half an hour, 0.8 to 1.5 GB), and
# again when the list of packages here changes. The mirror is the one that this machine's own apt uses. Needs root: debootstrap makes
# device files and runs programs of the new root in it. Nothing stays mounted, whatever happens.
set -eu

NAME=${1:?debian-root.sh NAME [--kept]}
SUITE=forky
arch= older=
# Packages of which a root gets the files alone: they are not set up.
FILES=
# The debootstrap of an older Debian has no script for this suite; the one for sid fits it.
script=sid
updates=
CPYTHON='gcc libc6-dev make xz-utils pkg-config zlib1g-dev libbz2-dev liblzma-dev libssl-dev libffi-dev libsqlite3-dev
  libreadline-dev libncurses-dev uuid-dev tk-dev'
codename() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }
case $NAME in
forky-root) # the newer Pythons, with their tests
  PACKAGES='gcc libc6-dev make valgrind patchelf'
  for series in 3.14 3.15; do
    PACKAGES="$PACKAGES python$series python$series-venv libpython$series-dev libpython$series-testsuite"
  done
  ;;
bazel-root-forky) # Bazel 7.7.1
  PACKAGES='gcc libc6-dev patchelf bazel-bootstrap python3.14 libpython3.14-dev python3.15 libpython3.15-dev'
  ;;
buildbox-root) # Bazel 7.7.1 and an engine that executes its actions: buildbox, a server of the Remote Execution API
  PACKAGES='gcc libc6-dev patchelf bazel-bootstrap buildbox python3.14 libpython3.14-dev'
  ;;
bazel-root-bookworm) # Bazel 4.2.3
  PACKAGES='gcc libc6-dev bazel-bootstrap python3.11 libpython3.11-dev' SUITE=bookworm script=bookworm
  ;;
release-root-bookworm) # with updates, where this machine has them, too; the same Clang is in both
  PACKAGES="$CPYTHON clang-19" SUITE=bookworm script=bookworm
  [ "$(codename)" != bookworm ] || updates=/etc/apt/sources.list.d/debian.sources
  ;;
release-root-trixie)
  PACKAGES="$CPYTHON clang-19" SUITE=trixie script=trixie
  ;;
trixie-root) # Python 3.13 of Debian 13, with its tests
  PACKAGES='gcc libc6-dev make patchelf python3.13 python3.13-venv libpython3.13-dev libpython3.13-testsuite'
  SUITE=trixie script=trixie
  ;;
trixie-root-arm64) # the same for aarch64, with a node of that architecture, and with Debian 12's Python 3.11
  PACKAGES='gcc libc6-dev make patchelf nodejs' SUITE=trixie script=trixie
  arch=arm64 older=bookworm
  for series in 3.11 3.13; do
    PACKAGES="$PACKAGES python$series libpython$series-dev"
    # To be set up is to be compiled to bytecode: half an hour under an emulator.
    FILES="$FILES libpython$series-testsuite"
  done
  ;;
programs-root-bookworm) # programs in Python (debian-programs.ts), and what it takes to freeze them
  PACKAGES='gcc libc6-dev python3.11 libpython3.11-dev python3-pygments python3-pip python3-django python3-pytest python3-sphinx
    ipython3 mypy python3-poetry awscli python3-scrapy pylint flake8 certbot python3-flask meson borgbackup beets duplicity
    streamlink glances python3-pandas python3-matplotlib python3-sympy python3-sqlalchemy python3-fastapi python3-twisted'
  SUITE=bookworm script=bookworm
  ;;
*)
  echo "there is no recipe for $NAME" >&2
  exit 1
  ;;
esac
# Another variant of the recipe gives another root: what is new in the steps below is a new number here.
RECIPE="1 $SUITE $PACKAGES${FILES:+ files:$FILES}"

PATH=$PATH:/usr/sbin:/sbin
folder=${FLASHFREEZE_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/flashfreeze-test}
root=$folder/$NAME
building=$root.building
log=$root.log

refuse() {
  echo "no $NAME (Debian $SUITE): $*" >&2
  exit 1
}

is_whole() { [ "$(cat "$root/.recipe" 2>/dev/null)" = "$RECIPE" ]; }

# A release's own archive: updates and security fixes have a hyphen in the suite's name.
mirror() {
  apt-get indextargets --format '$(ORIGIN)|$(SUITE)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    sed -n 's/^Debian|[a-z]*|//p' | head -n 1
}

# in_root COMMAND…: in the root that is being built, with /proc and /dev, which some packages want when they are set up.
in_root() {
  unshare --mount --pid --fork --kill-child sh -euc '
    root=$1; shift
    mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; cp /etc/resolv.conf "$root/etc/resolv.conf"
    exec chroot "$root" env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"
  ' sh "$building" "$@" >>"$log" 2>&1 </dev/null
}

# An emulator that the kernel has opened (flag F) runs programs of a root that does not have it.
if [ "$arch" = arm64 ] && [ "$(uname -m)" != aarch64 ]; then
  grep -qs '^flags:.*F' /proc/sys/fs/binfmt_misc/qemu-aarch64 ||
    refuse 'this machine cannot run programs for aarch64 (packages qemu-user-static, binfmt-support)'
fi
if is_whole; then
  echo "$root"
  exit
fi
[ "${2-}" != --kept ] || refuse 'it is not in the cache of the tests'

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
  # Mounts and processes end with the namespaces that they are in.
  unshare --mount --pid --fork --kill-child \
    debootstrap --variant=minbase ${arch:+--arch=$arch} ${updates:+--include=gpgv} "$SUITE" "$building" "$mirror" "/usr/share/debootstrap/scripts/$script" \
    >"$log" 2>&1 </dev/null || refuse "debootstrap failed: $(tail -n 3 "$log" | tr '\n' ' ')(all of it: $log)"
  # The settings by which this machine's apt reaches the archive (a proxy, say).
  cp /etc/apt/apt.conf.d/* "$building/etc/apt/apt.conf.d/" 2>/dev/null || true
  # Packages that only an older suite has.
  [ -z "$older" ] || echo "deb $mirror $older main" >"$building/etc/apt/sources.list.d/older.list"
  if [ -n "$updates" ]; then
    cp "$updates" "$building/etc/apt/sources.list.d/" && rm "$building/etc/apt/sources.list"
  fi
  in_root apt-get update && in_root apt-get upgrade -y && in_root apt-get install -y --no-install-recommends $PACKAGES ||
    refuse "the packages could not be installed: $(tail -n 3 "$log" | tr '\n' ' ')(all of it: $log)"
  [ -z "$FILES" ] || in_root sh -euc '
    cd /var/cache/apt
    apt-get download "$@"
    for package in *.deb; do dpkg-deb --extract "$package" /; done
  ' sh $FILES || refuse "the files of packages could not be had: $(tail -n 3 "$log" | tr '\n' ' ')(all of it: $log)"
  rm -rf "$building"/var/cache/apt/* "$building"/var/lib/apt/lists/*
  # What debian-root-run.sh mounts this machine's node on, where it can run.
  [ -e "$building/usr/bin/node" ] || : >"$building/usr/local/bin/node"
  echo "$RECIPE" >"$building/.recipe"
  rm -rf "$root.old"
  [ ! -e "$root" ] || mv "$root" "$root.old"
  mv "$building" "$root"
  rm -rf "$root.old"
fi
echo "$root"
