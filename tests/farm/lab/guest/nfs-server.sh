#!/bin/sh
# Starts, stops or reloads the kernel's NFS server as nfs-kernel-server's units do: there is no systemd in a guest.
set -eu
case ${1:-} in
start | restart)
  [ "$1" = start ] || "$0" stop
  modprobe nfsd
  mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
  mkdir -p /run/rpc_pipefs
  mountpoint -q /run/rpc_pipefs || mount -t rpc_pipefs pipefs /run/rpc_pipefs
  # Long enough for reclaims of a guest, which boots in seconds; the default waits a minute and a half.
  echo 10 > /proc/fs/nfsd/nfsv4gracetime
  echo 10 > /proc/fs/nfsd/nfsv4leasetime
  exportfs -ra
  pidof rpcbind >/dev/null || { mkdir -p /run/rpcbind; rpcbind -w; }
  pidof nfsdcld >/dev/null || nfsdcld
  rpc.nfsd -N 3 -V 4.2 8
  pidof rpc.mountd >/dev/null || rpc.mountd -N 2 -N 3 --no-udp
  ;;
stop)
  rpc.nfsd 0
  exportfs -f
  ;;
reload)
  exportfs -ra
  ;;
*)
  echo "usage: nfs-server.sh start|stop|restart|reload" >&2
  exit 2
  ;;
esac
