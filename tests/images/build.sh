#!/usr/bin/env bash
# Makes sure that the base images are there: debian:trixie-slim and mysql:9.7. What is there stays; what can be pulled is
# pulled; where no registry can be reached, stand-ins are built from Debian's packages under the official names, so that
# the Dockerfiles and Compose files that users get are the ones that are tested. Stand-ins carry the label
# org.openmediakit.stand-in; `docker rmi` of the name brings the official image back into play.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

LABEL=org.openmediakit.stand-in
PULL_SECONDS=90  # for a whole pull; a registry that cannot be reached is asked for REGISTRY_SECONDS only
REGISTRY_SECONDS=5

say() { echo "images: $*" >&2; }
present() { docker image inspect "$1" >/dev/null 2>&1; }

registry_answers() {
  timeout "$REGISTRY_SECONDS" docker manifest inspect "$1" >/dev/null 2>&1
}
pulled() {
  registry_answers "$1" && say "pulling $1" && timeout "$PULL_SECONDS" docker pull --quiet "$1" >/dev/null 2>&1
}

debian_mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 2>/dev/null | head -n 1
}

# What the official slim image is, plus this machine's certificates: a machine without a registry often has a proxy with a
# certificate of its own, and apt and pip inside `docker build` must trust it too.
build_debian() {
  local bundle=/etc/ssl/certs/ca-certificates.crt
  [ "$(id -u)" = 0 ] || { say "$1 can't be pulled, and only root can build it."; return 1; }
  if ! command -v mmdebstrap >/dev/null; then
    apt-get update -qq </dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends mmdebstrap >/dev/null </dev/null
  fi
  # into a file first: an import of half a stream would be taken for the image from then on
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  mmdebstrap --quiet --variant=minbase --include=ca-certificates \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --customize-hook="copy-in $bundle /etc/ssl/certs" \
    --customize-hook="upload $here/debian/apt.conf /etc/apt/apt.conf.d/50small-layers" \
    --customize-hook='rm -f "$1"/var/cache/apt/*.bin' \
    trixie "$scratch/debian.tar" "$(debian_mirror)" </dev/null
  docker import --change 'CMD ["bash"]' --change "LABEL $LABEL=debian" --change "ENV SSL_CERT_FILE=$bundle" \
    "$scratch/debian.tar" "$1" >/dev/null
}

build_mysql() {
  docker build --quiet --tag "$1" --label "$LABEL=mysql" \
    --build-arg "DEBIAN_MIRROR=$(debian_mirror)" "$here/mysql" >/dev/null </dev/null
}

ensure() {
  local image=$1 build=$2
  if present "$image" || pulled "$image"; then return; fi
  say "building a stand-in for $image from Debian's packages"
  "$build" "$image"
}

ensure debian:trixie-slim build_debian
ensure mysql:9.7 build_mysql
