#!/bin/sh
# Install Redmine 5 from Debian 12 and prepare a database with an account for Rolecall: once, as root, some minutes.
# What the proof needs is kept in $ROLECALL_REDMINE, by default /var/cache/rolecall-redmine.
set -e
home=${ROLECALL_REDMINE:-/var/cache/rolecall-redmine}
here=$(cd "$(dirname "$0")" && pwd)
DEBIAN_FRONTEND=noninteractive apt-get -y -qq --no-install-recommends install \
  redmine redmine-sqlite ruby-sqlite3 dbconfig-no-thanks puma
instance=/usr/share/redmine/instances/rolecall-proof
mkdir -p "$home" $instance/config $instance/files $instance/log $instance/tmp/cache $instance/public/plugin_assets
rm -f "$home/redmine.sqlite"
printf 'production:\n  adapter: sqlite3\n  database: %s\n  timeout: 20000\n' "$home/redmine.sqlite" > $instance/config/database.yml
head -c 64 /dev/urandom | sha256sum | cut -c1-64 > $instance/config/secret_key.txt
export REDMINE_INSTANCE=rolecall-proof RAILS_ENV=production REDMINE_LANG=en
cd /usr/share/redmine
bundle exec rake db:migrate
bundle exec rake redmine:load_default_data
bundle exec rails runner "$here/seed.rb" > "$home/keys.json"
