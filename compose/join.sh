#!/bin/sh
# Makes this host a secondary host of a farm: takes the invitation that `omkt hosts invite NAME` printed on the main host.
#   compose/join.sh FILE       the invitation; - reads it from standard input
# Again with a new invitation renews the way in. Then: docker compose up -d
set -eu
here=$(cd "$(dirname "$0")" && pwd)
env_file=$here/../.env
folder=$here/secrets
[ $# = 1 ] || { echo "usage: compose/join.sh FILE (or - for standard input)" >&2; exit 2; }

umask 077
invitation=$(cat -- "$1")
value() { printf '%s\n' "$invitation" | sed -n "s/^$1=//p" | tail -n 1; }
for name in OMKT_ROLE OMKT_HOST_NAME OMKT_DATABASE_URL OMKT_DATABASE_PASSWORD OMKT_NFS_ADDRESS; do
  [ -n "$(value "$name")" ] || { echo "This is no invitation: $name is missing. Make one with: omkt hosts invite NAME" >&2; exit 1; }
done
if [ -e "$env_file" ] && ! grep -qs '^OMKT_ROLE=secondary$' "$env_file"; then
  echo ".env of this host is not that of a secondary host. Move it away first if this host shall become one." >&2; exit 1
fi

# Complete or not there. The containers read the password as a user that this host does not know: the file is open to all,
# and the folder to its owner alone.
mkdir -p "$folder"
chmod 0700 "$folder"
value OMKT_DATABASE_PASSWORD | tr -d '\n' > "$folder/.password.part"
chmod 0444 "$folder/.password.part"
mv -f "$folder/.password.part" "$folder/omkt_database_password"

# What the operator added here stays; what an invitation says, it says anew.
named='OMKT_ROLE|COMPOSE_PROFILES|OMKT_HOST_NAME|OMKT_DATABASE_URL|OMKT_DATABASE_PASSWORD|OMKT_NFS_ADDRESS|OMKT_NFS_PATH|OMKT_VERSION|OMKT_SECRETS_DIR'
{
  printf '%s\n' "$invitation" | grep -Ev '^OMKT_DATABASE_PASSWORD='
  echo OMKT_SECRETS_DIR=./secrets
  if [ -e "$env_file" ]; then grep -Ev "^($named)=|^#" "$env_file" || true; fi
} > "$env_file.part"
mv -f "$env_file.part" "$env_file"
echo "This host is $(value OMKT_HOST_NAME). Next: docker compose up -d"
