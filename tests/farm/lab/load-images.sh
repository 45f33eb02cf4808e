#!/usr/bin/env bash
# Load images of this machine's engine into the engine of a guest's disk: load-images.sh DISK PLACE IMAGE...
# Runs that engine here, in namespaces of its own: nothing is left mounted, and it takes no other engine's bridge away.
# Exit status 3: no loop device.
set -euo pipefail

disk=$1 place=$2
shift 2
mount --make-rprivate /
mount -o loop "$disk" "$place" 2>/dev/null || exit 3
mount -t proc proc "$place/proc"
mount --rbind /sys "$place/sys"
mount --rbind /dev "$place/dev"
for folder in run tmp; do mount -t tmpfs none "$place/$folder"; done

log=$place/tmp/dockerd.log
chroot "$place" /usr/sbin/dockerd --iptables=false --ip6tables=false --bridge=none --storage-driver=overlay2 >"$log" 2>&1 &
engine=$!
for _ in $(seq 120); do
  if chroot "$place" docker version >/dev/null 2>&1; then break; fi
  if ! kill -0 "$engine" 2>/dev/null; then tail -n 20 "$log" >&2; exit 1; fi
  sleep 0.5
done
docker save "$@" | chroot "$place" docker load --quiet
kill "$engine"
wait "$engine" || true
while pgrep --ns $$ --nslist mnt containerd >/dev/null; do sleep 0.2; done
