#!/bin/bash
# debian-root-run.sh ROOT [--read PATH | --write PATH | --node PATH | --env NAME=VALUE | --cd FOLDER]... -- COMMAND...
#
# Runs a command in a root folder that debian-root.sh built and exits with its exit code; 125 when it could not be run.
# The root is read-only there, but for an empty /tmp that is gone afterwards. --read and --write show it files and folders
# of this machine at the path that they have here, --node this machine's node as /usr/local/bin/node. The command gets no
# variables but a few of the root's own and those of --env.
#
# All of it lives in a mount and a process namespace of its own: nothing stays mounted, and everything that the command
# started (a server, too) ends with it. The root is the root of that namespace, not of a chroot, from which a program could
# make no sandboxes (user_namespaces(7), EPERM). Needs root.
set -euo pipefail

refuse() {
  echo "debian-root-run: $*" >&2
  exit 125
}

if [ "${1-}" != --inside ]; then
  exec unshare --mount --pid --fork --kill-child --propagation private "$0" --inside "$@"
fi
root=${2-}
[ -f "$root/.recipe" ] || refuse "'$root' is no root that debian-root.sh built"
shift 2

# show OPTIONS PATH PLACE: PATH of this machine at PLACE in the root, mounted with these options.
show() {
  local options=$1 path=$2 place=$root$3
  case $path in /*) ;; *) refuse "not an absolute path: $path" ;; esac
  [ -e "$path" ] || refuse "there is no $path"
  if [ -d "$path" ]; then
    mkdir -p "$place"
  elif [ ! -e "$place" ]; then
    mkdir -p "$(dirname "$place")"
    : >"$place"
  fi
  mount --bind "$path" "$place"
  mount -o "remount,bind,$options" "$place"
}

mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"

environment=(PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/tmp USER=root LC_ALL=C.UTF-8)
folder=/tmp
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  [ $# -ge 2 ] || refuse "$1 needs a value"
  case $1 in
  --read) show ro "$2" "$2" ;;
  --write) show rw "$2" "$2" ;;
  --node) show ro "$2" /usr/local/bin/node ;;
  --env) environment+=("$2") ;;
  --cd) folder=$2 ;;
  *) refuse "unknown option $1" ;;
  esac
  shift 2
done
[ $# -ge 2 ] || refuse 'no command given'
shift
mount -o remount,bind,ro "$root"
cd "$root"
pivot_root . .
umount -l .

# Not in place of this shell: as the first process of its namespace, the command would not get ordinary signals.
status=0
env -i --chdir="$folder" "${environment[@]}" "$@" || status=$?
exit $status
