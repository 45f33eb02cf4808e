#!/bin/sh
# Makes .venv from uv.lock. Again is quick and harmless: what is up to date stays. Touches nothing outside this folder.
#   ./setup.sh                  what runs the farm, and the developers' tools
#   OMKT_NO_DEV=1 ./setup.sh    what runs the farm (tools that are there already stay)
set -eu

UV_VERSION=0.13.9
unset CDPATH
cd "$(dirname "$0")"
here=$(pwd -P)
stamp=.venv/.omkt-setup
tools=var/uv

# An environment that happens to be active is not ours to change, and its settings must not reach into this one.
unset VIRTUAL_ENV CONDA_PREFIX PYTHONHOME PYTHONPATH UV_PROJECT UV_WORKING_DIRECTORY UV_NO_DEV UV_ONLY_DEV || true
export UV_PROJECT_ENVIRONMENT="$here/.venv" UV_PYTHON_DOWNLOADS=never

say() { printf '%s\n' "$*" >&2; }
fail() { say "setup: $*"; exit 1; }

wanted() {  # what the environment is made from
  printf '%s\n' "$here"
  cksum uv.lock pyproject.toml packages/*/pyproject.toml services/*/pyproject.toml
}

up_to_date() {
  [ -f "$stamp" ] && [ -x .venv/bin/omkt ] && [ "$(sed 1d "$stamp")" = "$(wanted)" ] || return 1
  [ "$(head -n 1 "$stamp")" = dev ] || [ -n "${OMKT_NO_DEV:-}" ] || return 1
  .venv/bin/python -c '' 2>/dev/null
}

find_python() {
  for name in python3 python3.14 python3.13 python3.12 python3.11; do
    found=$(command -v "$name" 2>/dev/null) || continue
    "$found" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    printf '%s\n' "$found"
    return
  done
  return 1
}

# Installs Debian packages where that is possible without asking anybody; else says what to run.
need_packages() {
  if ! command -v apt-get >/dev/null 2>&1; then fail "$1 Install it with your system's packages, then run this again."; fi
  shift_reason=$1; shift
  if [ "$(id -u)" -ne 0 ]; then
    fail "$shift_reason Run:  sudo apt-get update && sudo apt-get install -y $*    then run this again."
  fi
  say "setup: $shift_reason Installing $*"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o DPkg::Lock::Timeout=120 update -qq >&2 || true
  apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "$@" >&2 </dev/null \
    || fail "apt-get could not install $*; its message is above."
}

uv_is_fit() {  # 0.9 or newer
  version=$("$1" --version 2>/dev/null | sed -n 's/^uv \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
  [ -n "$version" ] || return 1
  [ "${version% *}" -gt 0 ] || [ "${version#* }" -ge 9 ]
}

find_uv() {
  uv=$(command -v uv 2>/dev/null) && uv_is_fit "$uv" && return
  uv=$here/$tools/bin/uv
  uv_is_fit "$uv" && return
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    need_packages "Python's venv module is missing." "$package"
  fi
  say "setup: getting uv $UV_VERSION into $tools"
  rm -rf "$tools"
  "$python" -m venv "$tools"
  "$tools/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION" \
    || fail "pip could not get uv $UV_VERSION; its message is above. Is the package index reachable?"
}

if up_to_date; then exit 0; fi

python=$(find_python) || {
  need_packages "Python 3.11 or newer was not found." python3 python3-venv
  python=$(find_python) || fail "this system's python3 is older than 3.11. Install Python 3.11 or newer beside it."
}
find_uv

# Scripts in a virtual environment name its place: one that was moved or copied here is made anew.
if [ -f "$stamp" ] && [ "$(sed -n 2p "$stamp")" != "$here" ]; then rm -rf .venv; fi
if [ -d .venv ] && ! .venv/bin/python -c '' 2>/dev/null; then rm -rf .venv; fi

mode=dev
if [ -n "${OMKT_NO_DEV:-}" ]; then mode=no-dev; fi
set -- sync --frozen --inexact
if [ $mode = no-dev ]; then set -- "$@" --no-dev; fi
# Progress for people; on a pipe only what went wrong.
if ! [ -t 2 ]; then set -- "$@" --quiet; fi
if ! [ -d .venv ]; then set -- "$@" --python "$python"; fi
say "setup: Python packages into .venv, as uv.lock has them (a few hundred MB the first time)"
"$uv" "$@" || fail "uv could not make .venv; its message is above."

# Tools that were there have stayed (--inexact), and still fit if the lock is the same.
if [ $mode = no-dev ] && [ -f "$stamp" ] && [ "$(head -n 1 "$stamp")" = dev ] && [ "$(sed 1d "$stamp")" = "$(wanted)" ]; then
  mode=dev
fi
{ printf '%s\n' "$mode"; wanted; } > "$stamp.part"
mv -f "$stamp.part" "$stamp"
