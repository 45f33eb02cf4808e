# Run by init at each start of a guest: name, network, disks, then the services that an enabled unit would start.
set -x
hostname "$LAB_NAME"
printf '127.0.0.1 localhost\n%s %s\n' "$LAB_ADDRESS" "$LAB_NAME" > /etc/hosts
ip link set lo up
ip addr add "$LAB_ADDRESS/24" dev vec0
ip link set vec0 up

for module in overlay bridge br_netfilter veth ip_tables iptable_filter iptable_nat nf_nat xt_conntrack xt_addrtype \
  xt_MASQUERADE xt_tcpudp xt_multiport sch_netem nfs nfsv4; do
  modprobe -q "$module"
done
echo 1 > /proc/sys/net/ipv4/ip_forward

# The disk for media, where this host has one: made at its first start, and mounted at every start.
if [ -b /dev/ubdb ]; then
  blkid /dev/ubdb >/dev/null || mke2fs -q -t ext4 -O quota /dev/ubdb
  mkdir -p /srv/omkt
  mount /dev/ubdb /srv/omkt
fi

# A host that exports something serves it again after a restart, as nfs-kernel-server's unit does.
if grep -qs '^/' /etc/exports /etc/exports.d/*.exports; then
  sh /lab/guest/nfs-server.sh start
fi

if command -v dockerd >/dev/null; then
  rm -f /var/run/docker.pid
  setsid dockerd >>/var/log/dockerd.log 2>&1 </dev/null &
fi
# A developer's shell: `make farm-shell` joins the pseudo-terminal that stands behind this console.
while :; do setsid -c -w bash -l </dev/tty1 >/dev/tty1 2>&1; sleep 1; done &
