#!/bin/sh
# Serves /srv/omkt over NFSv4.2 to OMKT_NFS_CLIENTS (private networks, addresses or names, with commas between them), and
# notes what it serves in /state/etab, as a kernel's server would: the courier reads it there.
set -eu
die() { echo "nfs-server: $*" >&2; exit 1; }
# shellcheck source=nfs/clients.sh
. /opt/omkt/clients.sh

tree=/srv/omkt
owner=20000
[ -n "${OMKT_NFS_CLIENTS:-}" ] || die "set OMKT_NFS_CLIENTS to the private network of the farm's hosts, as 10.0.0.0/24"
for client in $(echo "$OMKT_NFS_CLIENTS" | tr ',' ' '); do check_client "$client"; done
mountpoint -q "$tree" || die "the media tree is not mounted at $tree"
[ "$(stat -c %u "$tree")" = "$owner" ] || die "the media tree does not belong to the farm: chown $owner:$owner it on this host"

install -d /run/ganesha
cat > /run/ganesha/omkt.conf <<END
NFS_CORE_PARAM { Protocols = 4; Enable_NLM = false; Enable_RQUOTA = false; allow_set_io_flusher_fail = true; }
NFSV4 { Minor_Versions = 2; RecoveryBackend = "fs"; }
EXPORT_DEFAULTS { Access_Type = None; }
EXPORT {
  Export_Id = 1;
  Path = "$tree";
  Pseudo = "/";
  Protocols = 4;
  Transports = TCP;
  SecType = "sys";
  Squash = "All_Squash";
  Anonymous_Uid = $owner;
  Anonymous_Gid = $owner;
  FSAL { Name = "VFS"; }
  CLIENT { Clients = $OMKT_NFS_CLIENTS; Access_Type = RW; }
}
LOG { Default_Log_Level = EVENT; }
END

if [ -d /state ]; then
  options="rw,sync,no_subtree_check,root_squash,all_squash,anonuid=$owner,anongid=$owner,fsid=0"
  for client in $(echo "$OMKT_NFS_CLIENTS" | tr ',' ' '); do
    printf '%s\t%s(%s)\n' "${OMKT_MEDIA_TREE:-$tree}" "$client" "$options"
  done > /state/etab.part
  chmod 0644 /state/etab.part
  mv -f /state/etab.part /state/etab
fi
exec ganesha.nfsd -F -x -L STDOUT -f /run/ganesha/omkt.conf -p /run/ganesha/pid
