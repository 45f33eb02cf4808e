#!/bin/sh
# Makes this machine (Debian or Ubuntu) serve the farm's share over NFSv4.2. As root; again does no harm.
#   nfs/serve.sh CLIENT...       a private network (10.0.0.0/24), an address or a host name; each may write
#   OMKT_MEDIA_TREE=/srv/omkt    the folder that is exported, and nothing else
#   DRY_RUN=1                    only say what would be written and run
set -eu
tree=${OMKT_MEDIA_TREE:-/srv/omkt}
owner=20000  # the user of every image
run() { if [ -n "${DRY_RUN:-}" ]; then echo "would run: $*"; else "$@"; fi; }
die() { echo "nfs/serve.sh: $*" >&2; exit 1; }

[ $# -gt 0 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ -n "${DRY_RUN:-}" ] || [ "$(id -u)" = 0 ] || die "run it as root"
case $tree in
  /|/home|/root|/etc|/usr|/var|/srv) die "$tree holds more than the share: give the share a folder of its own (OMKT_MEDIA_TREE)" ;;
  *[!A-Za-z0-9/._-]*) die "OMKT_MEDIA_TREE may hold letters, digits, / . _ and - only" ;;
  /*) ;;
  *) die "OMKT_MEDIA_TREE must begin with /" ;;
esac
if [ -e "$tree/compose.yaml" ] || [ -e "$tree/.git" ]; then die "$tree holds code: only media is shared"; fi
for client in "$@"; do
  case $client in
    0.0.0.0/*|::/*|'*') die "$client is everybody: name the hosts, or one private network" ;;
    *[!A-Za-z0-9.:/_-]*) die "$client is no address, network or host name" ;;
    10.*|192.168.*|172.1[6-9].*|172.2[0-9].*|172.3[01].*|169.254.*|127.*|f[cd]*:*|fe80:*) ;;
    *[!0-9./]*) ;;  # a name: the operator's own
    *) die "$client is a public address: NFS belongs into a private network" ;;
  esac
done

command -v exportfs >/dev/null || run apt-get install -y -q --no-install-recommends nfs-kernel-server

# Kept by those who write: the farm's user. The exports say the same of a client's root.
[ -d "$tree" ] || run install -d -o "$owner" -g "$owner" -m 0750 "$tree"

# sync: what was confirmed is on disk. fsid=0: clients mount it as /. No path above the tree is visible.
options="rw,sync,no_subtree_check,root_squash,anonuid=$owner,anongid=$owner,fsid=0"
exports="$tree"
for client in "$@"; do exports="$exports $client($options)"; done

write() { # FILE TEXT: replaced whole
  if [ -n "${DRY_RUN:-}" ]; then printf 'would write %s:\n%s\n' "$1" "$2"; return; fi
  mkdir -p "$(dirname "$1")"
  printf '%s\n' "$2" > "$1.part"
  mv -f "$1.part" "$1"
}
write /etc/exports.d/omkt.exports "# Written by nfs/serve.sh
$exports"
write /etc/nfs.conf.d/omkt.conf "# Written by nfs/serve.sh: version 4.2 and no other
[nfsd]
udp=n
vers3=n
vers4=y
vers4.0=n
vers4.1=n
vers4.2=y"

if [ -d /run/systemd/system ]; then
  run systemctl enable --now nfs-server
  run systemctl restart nfs-server
else  # a machine without systemd: the same daemons by hand
  grep -qs nfsd /proc/filesystems || run modprobe nfsd
  mountpoint -q /proc/fs/nfsd || run mount -t nfsd nfsd /proc/fs/nfsd
  run rpc.nfsd -N 3 -V 4.2 8
  pgrep -x rpc.mountd >/dev/null || run rpc.mountd -N 3 --no-udp
fi
run exportfs -ra
[ -n "${DRY_RUN:-}" ] || { echo "exported now:"; exportfs -s; }
