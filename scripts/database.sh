# shellcheck shell=bash
# A throw-away PostgreSQL for the checks. Sourced after lib.sh.
#   start_database   sets DATABASE_URL and TEST_DATABASE_URL
#   stop_database

database_dir=''
database_user=()

start_database() {
  local bin port
  bin="$(postgres_bin)" || {
    say "No PostgreSQL was found."
    return 1
  }
  database_dir="$(mktemp -d)"
  # PostgreSQL refuses to run as root, and root is what most build machines are.
  if [ "$(id -u)" -eq 0 ]; then
    local name=nobody
    if id -u postgres >/dev/null 2>&1; then name=postgres; fi
    database_user=(setpriv --reuid="$name" --regid="$(id -g "$name")" --clear-groups --)
    chown -R "$name" "$database_dir"
  fi
  port="$(node -e 'const s=require("net").createServer();s.listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')"
  # It is thrown away afterwards, so nothing has to survive a crash.
  (cd "$database_dir" &&
    "${database_user[@]}" "$bin/initdb" --pgdata="$database_dir/data" --username=campus --auth=trust \
      --encoding=UTF8 --no-locale --no-sync &&
    "${database_user[@]}" "$bin/pg_ctl" --pgdata="$database_dir/data" --log="$database_dir/log" --wait --timeout=60 start \
      -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories='' -c max_connections=200 \
          -c fsync=off -c synchronous_commit=off -c full_page_writes=off") || return 1
  export DATABASE_URL="postgres://campus@127.0.0.1:$port/campus"
  # The server tests make a database each beside it.
  export TEST_DATABASE_URL="$DATABASE_URL"
}

stop_database() {
  local bin
  [ -n "$database_dir" ] || return 0
  if bin="$(postgres_bin)" && [ -f "$database_dir/data/postmaster.pid" ]; then
    (cd "$database_dir" && "${database_user[@]}" "$bin/pg_ctl" --pgdata="$database_dir/data" --mode=immediate stop) >/dev/null 2>&1 || true
  fi
  rm -rf "$database_dir"
  database_dir=''
}
