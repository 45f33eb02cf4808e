#!/bin/sh
# Generates this farm's secrets and names their folder in .env. Run once; again does no harm: what exists stays.
#   compose/init.sh            secrets in compose/secrets/, named in .env
#   compose/init.sh FOLDER     secrets in FOLDER; .env is left alone
set -eu
here=$(cd "$(dirname "$0")" && pwd)
env_file=$here/../.env
folder=${1:-$here/secrets}

# The containers read the files as users that this host does not know (20000, 999), so the files are open to all, and the
# folder, which those on this host would have to pass through, to its owner alone.
umask 077
mkdir -p "$folder"
chmod 0700 "$folder"

for name in root_password api_password courier_password password; do
  name=omkt_database_$name
  if [ -s "$folder/$name" ]; then continue; fi
  # complete or not there: written beside, then renamed
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "$folder/.$name.part"
  chmod 0444 "$folder/.$name.part"
  mv -f "$folder/.$name.part" "$folder/$name"
  echo "generated $folder/$name"
done

# mounted into the database's container, whose user must be able to read it, whatever the umask of the checkout was
chmod a+r "$here/mysql/my.cnf"

if [ $# -gt 0 ]; then exit 0; fi
if [ ! -e "$env_file" ]; then
  cp "$here/.env.example" "$env_file"
  echo "named the secrets in .env. Next: docker compose up -d"
  exit 0
fi
# An .env that is older than this: what it must say by now is added, what it says stays.
for line in OMKT_SECRETS_DIR=./secrets COMPOSE_PROFILES=main,workers; do
  if grep -qs "^${line%%=*}=" "$env_file"; then continue; fi
  printf '\n# Added by compose/init.sh\n%s\n' "$line" >> "$env_file"
  echo "added $line to .env. Next: docker compose up -d"
done
