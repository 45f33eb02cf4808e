#!/bin/bash
# The official mysql image's contract: on an empty data folder, makes the root password, one database and one user from
# MYSQL_* variables (or the files that MYSQL_*_FILE name), runs /docker-entrypoint-initdb.d, then becomes mysqld.
set -euo pipefail

DATA=/var/lib/mysql
SOCKET=/var/run/mysqld/mysqld.sock

say() { echo "[entrypoint] $*" >&2; }
die() { say "$*"; exit 1; }

# Sets the variable from the file that NAME_FILE names, or to the default.
take() {
  local name=$1 file_name=$1_FILE
  if [ -n "${!name:-}" ] && [ -n "${!file_name:-}" ]; then die "Both $name and $file_name are set; choose one."; fi
  if [ -n "${!file_name:-}" ]; then printf -v "$name" '%s' "$(<"${!file_name}")"; fi
  printf -v "$name" '%s' "${!name:-${2:-}}"
  unset "$file_name"
}

# For a string between single quotes.
quoted() {
  local text=${1//\\/\\\\} quote="'"
  printf '%s' "${text//$quote/$quote$quote}"
}

# The root password as an option file: it never stands in the list of processes.
login() { printf "[client]\npassword='%s'\n" "${root_password_now//\\/\\\\}"; }

as_root() {
  mysql --defaults-extra-file=<(login) \
    --protocol=socket --socket="$SOCKET" --user=root --comments "$@"
}

start_without_network() {
  "$@" --daemonize --skip-networking --socket="$SOCKET" --mysqlx=OFF
  root_password_now=""
}

make_accounts() {
  as_root --database=mysql <<SQL
SET @@SESSION.SQL_LOG_BIN = 0;
ALTER USER 'root'@'localhost' IDENTIFIED BY '$(quoted "$MYSQL_ROOT_PASSWORD")';
$(if [ "$MYSQL_ROOT_HOST" != localhost ]; then
    echo "CREATE USER 'root'@'$MYSQL_ROOT_HOST' IDENTIFIED BY '$(quoted "$MYSQL_ROOT_PASSWORD")';"
    echo "GRANT ALL ON *.* TO 'root'@'$MYSQL_ROOT_HOST' WITH GRANT OPTION;"
  fi)
SQL
  root_password_now=$MYSQL_ROOT_PASSWORD
  if [ -n "$MYSQL_DATABASE" ]; then echo "CREATE DATABASE IF NOT EXISTS \`$MYSQL_DATABASE\`;" | as_root; fi
  if [ -n "$MYSQL_USER" ] && [ -n "$MYSQL_PASSWORD" ]; then
    echo "CREATE USER '$MYSQL_USER'@'%' IDENTIFIED BY '$(quoted "$MYSQL_PASSWORD")';" | as_root
    # an underscore in a grant is a wildcard
    if [ -n "$MYSQL_DATABASE" ]; then echo "GRANT ALL ON \`${MYSQL_DATABASE//_/\\_}\`.* TO '$MYSQL_USER'@'%';" | as_root; fi
  fi
}

run_init_files() {
  local file
  for file in /docker-entrypoint-initdb.d/*; do
    # shellcheck source=/dev/null
    case $file in
      *.sh) say "running $file"; if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) say "running $file"; as_root ${MYSQL_DATABASE:+--database="$MYSQL_DATABASE"} <"$file" ;;
    esac
  done
}

stop() {
  mysqladmin --defaults-extra-file=<(login) \
    --socket="$SOCKET" --user=root shutdown
}

initialise() {
  take MYSQL_ROOT_PASSWORD; take MYSQL_ROOT_HOST %; take MYSQL_DATABASE; take MYSQL_USER; take MYSQL_PASSWORD
  [ -n "$MYSQL_ROOT_PASSWORD" ] || die "Set MYSQL_ROOT_PASSWORD or MYSQL_ROOT_PASSWORD_FILE."
  say "initialising $DATA"
  "$@" --initialize-insecure
  start_without_network "$@"
  make_accounts
  run_init_files
  stop
  say "ready to start"
}

# No command, or options alone: options of the server.
if [ $# = 0 ] || [ "${1#-}" != "$1" ]; then set -- mysqld "$@"; fi
if [ "$1" != mysqld ]; then exec "$@"; fi

if [ "$(id -u)" = 0 ]; then
  chown mysql:mysql "$DATA" /var/run/mysqld
  exec setpriv --reuid=mysql --regid=mysql --init-groups "$0" "$@"
fi
if [ ! -d "$DATA/mysql" ]; then initialise "$@"; fi
exec "$@"
