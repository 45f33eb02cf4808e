#!/bin/sh
# Brings the images to a host that reaches no registry.
#   compose/images.sh save FILE        on the main host: what a secondary host needs, in one file
#   compose/images.sh load FILE        on the secondary host; - instead of FILE reads or writes the pipe:
#   compose/images.sh save - | ssh HOST 'cd omkt && compose/images.sh load -'
set -eu
cd "$(dirname "$0")/.."
usage() { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# = 2 ] || usage
version=${OMKT_VERSION:-$(sed -n 's/^OMKT_VERSION=//p' .env 2>/dev/null | tail -n 1)}
case $1 in
  save)
    set -- "$2" "omkt-metadata:${version:-local}" "omkt-transcoder:${version:-local}"
    file=$1; shift
    if [ "$file" = - ]; then docker save "$@" | gzip -1; else
      docker save "$@" | gzip -1 > "$file.part"
      mv -f "$file.part" "$file"
      echo "saved $* into $file"
    fi ;;
  load)
    if [ "$2" = - ]; then docker load; else docker load -i "$2"; fi ;;
  *) usage ;;
esac
