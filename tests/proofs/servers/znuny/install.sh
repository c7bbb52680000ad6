#!/bin/sh
# Install Znuny 6.5 from Debian 12's backports (non-free) and prepare a database with accounts: once, as root, five minutes.
# Its package is unpacked and not installed, so that no web server is set up. What the proof needs is kept in
# $ROLECALL_ZNUNY, by default /var/cache/rolecall-znuny; nothing in /etc is changed.
set -e
home=${ROLECALL_ZNUNY:-/var/cache/rolecall-znuny}
here=$(cd "$(dirname "$0")" && pwd)
bin=/usr/lib/postgresql/15/bin
DEBIAN_FRONTEND=noninteractive apt-get -y -qq --no-install-recommends install postgresql starlet libcgi-emulate-psgi-perl \
  libmodule-refresh-perl libapache-dbi-perl libarchive-zip-perl libauthen-sasl-perl libcpan-audit-perl \
  libcrypt-eksblowfish-perl libcrypt-jwt-perl libcrypt-passwdmd5-perl libcss-minifier-xs-perl libdata-uuid-perl \
  libdate-pcalc-perl libdatetime-perl libdbd-pg-perl libemail-valid-perl libencode-hanextra-perl \
  libexcel-writer-xlsx-perl libhash-merge-perl libhtml-truncate-perl libical-parser-perl libio-interactive-perl \
  libio-stringy-perl libjavascript-minifier-xs-perl libjson-xs-perl liblingua-translit-perl \
  liblinux-distribution-perl liblocale-codes-perl libmail-imapclient-perl libmail-pop3client-perl \
  libmath-random-secure-perl libmime-tools-perl libmoo-perl libnet-dns-perl libnet-imap-simple-ssl-perl \
  libnet-ldap-perl libnet-smtp-tls-butmaintained-perl libnet-sslglue-perl libpdf-api2-perl libpod-strip-perl \
  libproc-daemon-perl librest-client-perl libschedule-cron-events-perl libsisimai-perl libsoap-lite-perl \
  libspreadsheet-xlsx-perl libsys-hostname-long-perl libtemplate-perl libtext-csv-xs-perl \
  libtext-diff-formattedhtml-perl libxml-feedpp-perl libxml-libxml-simple-perl libxml-libxslt-perl \
  libxml-parser-lite-perl libyaml-libyaml-perl libyaml-perl > /dev/null
rm -rf "$home"
mkdir -p "$home/apt/lists/partial" "$home/apt/archives/partial" "$home/unpacked" "$home/pg"
archive=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive bookworm-backports non-free" > "$home/apt/sources"
cat > "$home/apt/conf" << CONF
Dir::State::lists "$home/apt/lists";
Dir::Cache::archives "$home/apt/archives";
Dir::Etc::sourcelist "$home/apt/sources";
Dir::Etc::sourceparts "/dev/null";
CONF
cd "$home"
APT_CONFIG="$home/apt/conf" apt-get -qq update
APT_CONFIG="$home/apt/conf" apt-get -qq download otrs2 2> /dev/null
dpkg -x otrs2_6.5.*.deb unpacked
mkdir home
cp -a unpacked/usr/share/otrs/. home/
rm -rf home/var home/Kernel/Config.pm home/Kernel/Config/Files home/Kernel/Config/Backups home/Kernel/Config/GenericAgent.pm
cp -a unpacked/var/lib/otrs home/var
rm -rf home/var/run home/var/spool unpacked otrs2_*.deb apt
mkdir home/var/run home/var/spool
ln -s ../../var/Config/Files home/Kernel/Config/Files
ln -s ../../var/Config/Backups home/Kernel/Config/Backups
printf 'package Kernel::Config::GenericAgent;\nour %%Jobs = ();\n1;\n' > home/Kernel/Config/GenericAgent.pm
cp "$here/Config.pm" home/Kernel/Config.pm
chown postgres "$home/pg"
as_postgres() { runuser -u postgres -- "$@"; }
as_postgres $bin/initdb -D "$home/pg" --no-sync -A trust -E UTF8 > /dev/null
as_postgres $bin/pg_ctl -D "$home/pg" -w -l "$home/pg/log" -o "-p 54779 -k /tmp -c fsync=off" start > /dev/null
trap 'as_postgres $bin/pg_ctl -D "$home/pg" -w stop > /dev/null' EXIT
as_postgres psql -q -h 127.0.0.1 -p 54779 -d postgres -c "create role otrs login" -c "create database otrs owner otrs"
for file in schema initial_insert schema-post; do
  psql -q -h 127.0.0.1 -p 54779 -U otrs -d otrs -f "home/scripts/database/$file.postgresql.sql" > /dev/null 2>&1
done
export ZNUNY_HOME="$home/home" ZNUNY_PG_PORT=54779
console() { perl home/bin/otrs.Console.pl "$@" --allow-root --no-ansi --quiet; }
console Maint::Config::Rebuild
for queue in Network Electrician; do
  console Admin::Queue::Add --name "$queue" --group users --system-address-id 1
done
for agent in sam rolecall; do
  console Admin::User::Add --user-name "$agent" --first-name "$agent" --last-name Tech \
    --email-address "$agent@example.org" --password "$agent-pw" --group users
done
console Admin::CustomerCompany::Add --customer-id plant --name Plant
console Admin::CustomerUser::Add --user-name line3 --first-name Line --last-name Three \
  --email-address line3@example.org --customer-id plant --password line3-pw
console Admin::WebService::Add --name GenericTicketConnectorREST \
  --source-path home/var/webservices/examples/GenericTicketConnectorREST.yml
touch "$home/installed"
