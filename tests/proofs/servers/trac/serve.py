"""Serve a new Trac with its RPC plugin, in Trac's own environment: serve.py FOLDER PORT."""

import base64
import hashlib
import os
import subprocess
import sys
from pathlib import Path

home, port, way = Path(sys.argv[1]), sys.argv[2], [*sys.argv[3:], "basic"][0]
here = Path(sys.executable).parent
environment = os.environ | {"PYTHONPATH": str(here.parents[1] / "plugin"), "PYTHONWARNINGS": "ignore"}
users = ("rolecall", "sam", "line3")


def admin(*command: str) -> None:
    subprocess.run([here / "trac-admin", home / "tracker", *command], check=True, env=environment)


home.mkdir(parents=True)
admin("initenv", "Plant", "sqlite:db/trac.db")
with (home / "tracker/conf/trac.ini").open("a") as settings:
    settings.write("\n[components]\ntracrpc.* = enabled\n")
(home / "tracker/plugins/rpc.py").write_text("import tracrpc\n")
admin("permission", "add", "authenticated", "XML_RPC")
admin("permission", "add", "sam", "TRAC_ADMIN")
admin("component", "add", "Network")
hashes = {
    "basic": [
        f"{user}:{{SHA}}{base64.b64encode(hashlib.sha1(f'{user}-pw'.encode()).digest()).decode()}" for user in users
    ],
    "digest": [f"{user}:plant:{hashlib.md5(f'{user}:plant:{user}-pw'.encode()).hexdigest()}" for user in users],
}
(home / "users").write_text("\n".join(hashes[way]) + "\n")
login = f"tracker,{home / 'users'},plant"
option = "--auth" if way == "digest" else "--basic-auth"
os.execve(
    here / "tracd", ["tracd", "-s", option, login, "-b", "127.0.0.1", "-p", port, str(home / "tracker")], environment
)
