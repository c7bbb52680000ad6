#!/bin/sh
# Install Trac 1.6 and its RPC plugin from PyPI into $ROLECALL_TRAC, by default /var/cache/rolecall-trac: once, a minute.
# The plugin on PyPI is for Python 2: it is translated by the tool that Python brings for that, and a few names mended.
set -e
home=${ROLECALL_TRAC:-/var/cache/rolecall-trac}
here=$(dirname "$0")
python3.11 -m venv "$home/venv"
"$home/venv/bin/pip" install -q --disable-pip-version-check trac==1.6 'setuptools<81'
"$home/venv/bin/pip" download -q --disable-pip-version-check --no-deps -d "$home" TracXMLRPC==1.1.9
tar xzf "$home/TracXMLRPC-1.1.9.tar.gz" -C "$home"
python3.11 "$here/translate.py" "$home/TracXMLRPC-1.1.9/tracrpc" "$home/plugin/tracrpc"
