"""Serve a new Roundup tracker of the template "classic", in Roundup's own environment: serve.py FOLDER PORT."""

import re
import subprocess
import sys
from pathlib import Path

from roundup.cgi.wsgi_handler import RequestDispatcher
from waitress import serve

home, port = Path(sys.argv[1]), int(sys.argv[2])
admin = Path(sys.executable).with_name("roundup-admin")
subprocess.run([admin, "-i", home, "install", "classic", "sqlite"], check=True, stdin=subprocess.DEVNULL)
config = home / "config.ini"
text = re.sub(r"(?m)^#?web = .*$", f"web = http://127.0.0.1:{port}/", config.read_text())
text = re.sub(r"(?m)^#?domain = .*$", "domain = example.test", text)
text = re.sub(r"(?m)^#?host = NO DEFAULT.*$", "host = localhost", text)
text = re.sub(r"(?m)^#?password_pbkdf2_default_rounds = .*$", "password_pbkdf2_default_rounds = 1000", text)  # fast
config.write_text(re.sub(r"(?m)^#?debug = *$", f"debug = {home / 'mails'}", text))
subprocess.run([admin, "-i", home, "initialise", "admin-pw"], check=True)
for name in ("rolecall", "sam", "line3"):
    given = [f"username={name}", f"password={name}-pw", f"address={name}@example.test", "roles=User"]
    subprocess.run([admin, "-i", home, "create", "user", *given], check=True)
subprocess.run([admin, "-i", home, "create", "keyword", "name=Network"], check=True)
serve(RequestDispatcher(str(home)), host="127.0.0.1", port=port, threads=4)
