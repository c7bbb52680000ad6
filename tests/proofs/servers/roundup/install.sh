#!/bin/sh
# Install Roundup 2.6.0 from PyPI into $ROLECALL_ROUNDUP, by default /var/cache/rolecall-roundup: once, half a minute.
set -e
home=${ROLECALL_ROUNDUP:-/var/cache/rolecall-roundup}
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install -q --disable-pip-version-check roundup==2.6.0 waitress==3.0.2
