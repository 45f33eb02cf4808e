#!/usr/bin/env bash
# Makes sure that a Docker Engine answers here and that `docker compose` is recent enough, with Debian's packages alone.
# Does nothing where that is so already. For a bare machine, a container or a CI runner that runs as root, without
# systemd: nothing is left behind but packages, $ENGINE_ROOT, /usr/local and one dockerd.
set -euo pipefail

COMPOSE_AT_LEAST=2.24                      # the first with everything that compose/compose.yaml says
ENGINE_ROOT=${ENGINE_ROOT:-/opt/omkt-engine}  # the userland of a newer Debian, where this one's engine is too old
LOG=/var/log/omkt-dockerd.log

say() { echo "engine: $*" >&2; }
die() { say "$*"; exit 1; }

engine_answers() { docker version >/dev/null 2>&1; }
compose_suffices() {
  local version
  version=$(docker compose version --short 2>/dev/null) && dpkg --compare-versions "${version#v}" ge "$COMPOSE_AT_LEAST"
}

# The name of the package that holds a sufficient Compose on this release (Debian and Ubuntu differ), or nothing.
own_compose_package() {
  local name version
  for name in docker-compose docker-compose-v2; do
    version=$(apt-cache policy "$name" | awk '/Candidate:/ {print $2}')
    # a version that is no number, as "(none)", sorts before every number
    if dpkg --compare-versions "${version:-0}" ge "$COMPOSE_AT_LEAST" 2>/dev/null; then echo "$name"; return; fi
  done
}

install_packages() { apt-get install -qq -y --no-install-recommends "$@" >/dev/null </dev/null; }

# Debian 12 has no engine that knows start_interval and no Compose v2; Debian 13 has. So its userland is unpacked beside
# ours, and only the engine runs in it. The client and its plugins are copied out: they need nothing newer than ours.
install_userland() {
  if [ ! -x "$ENGINE_ROOT/usr/sbin/dockerd" ]; then
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
    [ -n "$mirror" ] || die "no Debian mirror in this machine's apt sources, and its own Docker packages are too old."
    say "unpacking Debian 13's engine into $ENGINE_ROOT"
    install_packages mmdebstrap iptables
    # under another name first: what was interrupted is not taken for whole
    rm -rf "$ENGINE_ROOT.part"
    mmdebstrap --quiet --variant=minbase \
      --include=ca-certificates,docker.io,docker-cli,docker-compose,docker-buildx,iptables,procps \
      trixie "$ENGINE_ROOT.part" "$mirror" </dev/null
    mv "$ENGINE_ROOT.part" "$ENGINE_ROOT"
  fi
  mkdir -p /usr/local/lib/docker/cli-plugins
  cp "$ENGINE_ROOT"/usr/libexec/docker/cli-plugins/* /usr/local/lib/docker/cli-plugins/
  command -v docker >/dev/null || install "$ENGINE_ROOT/usr/bin/docker" /usr/local/bin/docker
}

# Runs in a mount namespace of its own, in which only /usr is the newer Debian's: the engine sees every other file where
# this machine has it, so that secrets and settings can be mounted into containers by their path.
enter_userland() {
  local userland=$1
  mount --rbind /usr/local "$userland/usr/local"
  mount --rbind "$userland/usr" /usr
  cd /
  export PATH=/usr/sbin:/usr/bin
  exec dockerd
}

# In the background and for good: a session of its own, and none of our open files, so that whoever waits for the end of
# this script's output does not wait for the engine's.
detached() {
  (
    for fd in /proc/"$BASHPID"/fd/*; do
      fd=${fd##*/}
      if [ "$fd" -gt 2 ]; then eval "exec $fd>&-"; fi
    done
    exec setsid "$@" >"$LOG" 2>&1 </dev/null
  ) &
}

start_engine() {
  if [ -x "$ENGINE_ROOT/usr/sbin/dockerd" ]; then
    detached unshare --mount --propagation slave bash "$(readlink -f "$0")" --enter "$ENGINE_ROOT"
  else
    detached dockerd
  fi
  for _ in $(seq 120); do
    if engine_answers; then return; fi
    sleep 0.5
  done
  tail -n 15 "$LOG" >&2
  die "dockerd does not answer after 60 s; the end of $LOG is above."
}

if [ "${1:-}" = --enter ]; then enter_userland "$2"; fi

if engine_answers && compose_suffices; then exit 0; fi
command -v apt-get >/dev/null || die "needs a Docker Engine (25 or newer) with Compose $COMPOSE_AT_LEAST or newer; install them first."
[ "$(id -u)" = 0 ] || die "no Docker Engine with Compose $COMPOSE_AT_LEAST answers. Run this as root, or install them first."
export DEBIAN_FRONTEND=noninteractive

if ! compose_suffices || ! { command -v dockerd >/dev/null || [ -x "$ENGINE_ROOT/usr/sbin/dockerd" ]; }; then
  apt-get update -qq </dev/null
  package=$(own_compose_package)
  if [ -n "$package" ]; then
    engine=(docker.io "$package" docker-buildx iptables)
    # the client is a package of its own, or a part of docker.io
    if [ -n "$(apt-cache show --quiet=2 docker-cli 2>/dev/null)" ]; then engine+=(docker-cli); fi
    install_packages "${engine[@]}"
  else
    install_userland
  fi
fi
engine_answers || start_engine
compose_suffices || die "'docker compose' is still older than $COMPOSE_AT_LEAST; another one comes first in docker's plugin folders."
say "Docker Engine $(docker version --format '{{.Server.Version}}'), Compose $(docker compose version --short)"
