#!/bin/sh
# Makes this machine (Debian or Ubuntu) serve the farm's share over NFSv4.2. As root; again does no harm.
#   nfs/serve.sh [--dry-run] CLIENT...
#     CLIENT                     a private network (10.0.0.0/24), an address or a host name; each may write
#     --dry-run                  only say what would be written and run; needs no root
#   OMKT_MEDIA_TREE=/srv/omkt    the folder that is exported, and nothing else
set -eu
die() { echo "nfs/serve.sh: $*" >&2; exit 1; }
usage() { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }

tree=${OMKT_MEDIA_TREE:-/srv/omkt}
owner=20000  # the user of every image
checkout=$(cd "$(dirname "$0")/.." && pwd -P)
# shellcheck source=nfs/clients.sh
. "$checkout/nfs/clients.sh"
dry=${DRY_RUN:-}
case ${1:-} in
  --dry-run) dry=1; shift ;;
  -*) usage ;;
esac
[ $# -gt 0 ] || usage
[ -n "$dry" ] || [ "$(id -u)" = 0 ] || die "run it as root (or with --dry-run to see what it would do)"

check_tree() {
  case $tree in
    /*) ;;
    *) die "OMKT_MEDIA_TREE must begin with /" ;;
  esac
  case $tree in
    *[!A-Za-z0-9/._-]*|*/../*|*/..) die "OMKT_MEDIA_TREE may hold letters, digits, / . _ and - only, and no .." ;;
  esac
  tree=$(readlink -m -- "$tree")
  case $tree in
    /|/bin|/boot|/dev|/etc|/home|/lib|/media|/mnt|/opt|/proc|/root|/run|/sbin|/srv|/sys|/tmp|/usr|/var|/var/lib|/var/www)
      die "$tree holds more than the share: give the share a folder of its own (OMKT_MEDIA_TREE)" ;;
  esac
  case $checkout/ in "$tree"/*) die "$tree holds this checkout: only media is shared, never code or secrets" ;; esac
  case $tree/ in "$checkout"/*) die "$tree lies in this checkout: give the share a folder of its own" ;; esac
  if [ -e "$tree/compose.yaml" ] || [ -e "$tree/.git" ]; then die "$tree holds code: only media is shared"; fi
  [ -d "$tree" ] || return 0
  # a fresh file system of its own has lost+found in it, and is empty all the same
  if [ "$(stat -c %u "$tree")" != "$owner" ] && [ -n "$(ls -A -I lost+found "$tree")" ]; then
    die "$tree is not empty and does not belong to the farm (uid $owner). Name an empty folder, or, if it is the share: chown -R $owner:$owner $tree"
  fi
}

run() { if [ -n "$dry" ]; then echo "would run: $*"; else "$@"; fi; }

changed=
write() { # FILE TEXT: replaced whole, if it says something else
  if [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; then return; fi
  changed=1
  if [ -n "$dry" ]; then printf 'would write %s:\n%s\n' "$1" "$2"; return; fi
  mkdir -p "$(dirname "$1")"
  printf '%s\n' "$2" > "$1.part"
  mv -f "$1.part" "$1"
}

serving() { grep -qs '+4\.2' /proc/fs/nfsd/versions && [ "$(cat /proc/fs/nfsd/threads 2>/dev/null || echo 0)" -gt 0 ]; }

# A restart makes every client wait through the server's grace time, so only where something changed.
serve() {
  if [ -n "$dry" ] || [ -d /run/systemd/system ]; then
    run systemctl enable --now nfs-server
    if [ -n "$changed" ]; then run systemctl restart nfs-server; fi
    return
  fi
  # a machine without systemd: the same daemons by hand
  grep -qs nfsd /proc/filesystems || modprobe nfsd
  mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
  if [ -n "$changed" ] && serving; then rpc.nfsd 0; fi
  serving || rpc.nfsd -N 3 -V 4.2 8
  pgrep -x rpc.mountd >/dev/null || rpc.mountd -N 3 --no-udp
}

check_tree
for client in "$@"; do check_client "$client"; done

if ! command -v exportfs >/dev/null; then
  command -v apt-get >/dev/null || die "install the kernel NFS server's package first (exportfs is missing)"
  run apt-get install -y -q --no-install-recommends nfs-kernel-server
fi
run install -d -o "$owner" -g "$owner" -m 0750 "$tree"

write /etc/nfs.conf.d/omkt.conf "# Written by nfs/serve.sh: version 4.2 and no other
[nfsd]
udp=n
vers3=n
vers4=y
vers4.0=n
vers4.1=n
vers4.2=y"
serve

# sync: what was confirmed is on disk. all_squash: whoever writes, files belong to the farm's user. fsid=0: clients mount it
# as /, and no path beside it is visible.
options="rw,sync,no_subtree_check,root_squash,all_squash,anonuid=$owner,anongid=$owner,fsid=0"
exports="$tree"
for client in "$@"; do exports="$exports $client($options)"; done
write /etc/exports.d/omkt.exports "# Written by nfs/serve.sh
$exports"
run exportfs -ra
[ -n "$dry" ] || { echo "exported now:"; exportfs -s; }
