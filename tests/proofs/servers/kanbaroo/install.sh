#!/bin/sh
# Install Kanbaroo 0.5.0 from PyPI into $ROLECALL_KANBAROO, by default /var/cache/rolecall-kanbaroo: once, two minutes.
# Needs Python 3.12 (PYTHON312=...).
set -e
home=${ROLECALL_KANBAROO:-/var/cache/rolecall-kanbaroo}
"${PYTHON312:-python3.12}" -m venv "$home/venv"
"$home/venv/bin/pip" install -q --disable-pip-version-check kanbaroo-api==0.5.0 kanbaroo-cli==0.5.0
