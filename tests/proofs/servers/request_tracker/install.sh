#!/bin/sh
# Install Request Tracker 5 from Debian 12 and prepare a database with an account for Rolecall: once, as root, two minutes.
# What the proof needs is kept in $ROLECALL_RT, by default /var/cache/rolecall-rt; nothing in /etc is changed.
set -e
home=${ROLECALL_RT:-/var/cache/rolecall-rt}
here=$(cd "$(dirname "$0")" && pwd)
scrip=$(cd "$here/../../../../connectors/request_tracker/scrip" && pwd)
DEBIAN_FRONTEND=noninteractive apt-get -y -qq --no-install-recommends install \
  dbconfig-no-thanks msmtp-mta rt5-standalone rt5-db-sqlite request-tracker5 starlet
mkdir -p "$home/empty.d" "$home/lib/RT/Action"
rm -f "$home/rt.sqlite"
cp "$here/RT_SiteConfig.pm" "$home/"
cp "$scrip/RolecallWebhook.pm" "$home/lib/RT/Action/"
export RT_HOME="$home" RT_SITE_CONFIG="$home/RT_SiteConfig.pm" RT_SITE_CONFIG_DIR="$home/empty.d" PERL5LIB="$home/lib"
rt-setup-database-5 --action init --dba-password '' > "$home/setup.log" 2>&1
for data in "$scrip/rolecall.initialdata" "$here/seed.initialdata"; do
  rt-setup-database-5 --action insert --datafile "$data" >> "$home/setup.log" 2>&1
done
perl "$here/tokens.pl" rolecall tech mover > "$home/tokens.json"
