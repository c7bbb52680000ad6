#!/bin/sh
# Install genericissuetracker 0.6.3 from PyPI into $ROLECALL_ISSUE_TRACKER, by default /var/cache/rolecall-issue-tracker.
set -e
home=${ROLECALL_ISSUE_TRACKER:-/var/cache/rolecall-issue-tracker}
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install -q --disable-pip-version-check genericissuetracker==0.6.3
