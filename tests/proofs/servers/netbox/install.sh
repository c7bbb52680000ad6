#!/bin/sh
# Install NetBox 4.7.3 with its plugin for circuit maintenance, and prepare a database with an account for Rolecall: once,
# as root, ten minutes and more. Needs Python 3.12 (PYTHON312=...), and PostgreSQL 15 and redis of Debian 12.
# What the proof needs is kept in $ROLECALL_NETBOX, by default /var/cache/rolecall-netbox.
set -e
home=${ROLECALL_NETBOX:-/var/cache/rolecall-netbox}
here=$(cd "$(dirname "$0")" && pwd)
bin=/usr/lib/postgresql/15/bin
command -v redis-server > /dev/null && test -x $bin/initdb ||
  DEBIAN_FRONTEND=noninteractive apt-get -y -qq --no-install-recommends install redis-server postgresql
test -x "$home/venv/bin/python" || "${PYTHON312:-python3.12}" -m venv "$home/venv"
"$home/venv/bin/pip" install -q --disable-pip-version-check netbox==4.7.3 netbox-circuitmaintenance==0.8.0
rm -rf "$home/pg"
mkdir "$home/pg"
chown postgres "$home/pg"
cd "$home"
as_postgres() { runuser -u postgres -- "$@"; }
as_postgres $bin/initdb -D "$home/pg" --no-sync -A trust -E UTF8 > /dev/null
as_postgres $bin/pg_ctl -D "$home/pg" -w -l "$home/pg/log" -o "-p 54777 -k /tmp -c fsync=off" start > /dev/null
trap 'as_postgres $bin/pg_ctl -D "$home/pg" -w stop > /dev/null' EXIT
as_postgres psql -q -h 127.0.0.1 -p 54777 -d postgres -c "create role netbox superuser login" -c "create database netbox owner netbox"
as_postgres psql -q -h 127.0.0.1 -p 54777 -d netbox \
  -c "create collation natural_sort (provider=icu, locale='und-u-kn-true')" -c "create extension pg_trgm" -c "create extension ltree"
redis-server --port 6399 --save "" --daemonize yes --pidfile "$home/redis.pid" > /dev/null
export NETBOX_CONFIGURATION=proof_configuration PYTHONPATH="$here:$home/venv/lib/python3.12/site-packages"
export PROOF_PG_PORT=54777 PROOF_REDIS_PORT=6399
DJANGO_SETTINGS_MODULE=proof_tables "$home/venv/bin/python" -m django migrate --run-syncdb -v 0
DJANGO_SETTINGS_MODULE=netbox.settings "$home/venv/bin/python" "$here/seed.py" > "$home/keys.json.new"
kill "$(cat "$home/redis.pid")"
mv "$home/keys.json.new" "$home/keys.json"
