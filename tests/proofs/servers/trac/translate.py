"""Make of the RPC plugin of Trac for Python 2 one for Python 3 and Trac 1.6: translate.py FROM TO. JSON-RPC alone."""

import shutil
import subprocess
import sys
from pathlib import Path

MENDED = {
    "__init__.py": {
        "from tracrpc.xml_rpc import *\n": "",
        "from tracrpc.wiki import *\nfrom tracrpc.search import *\n": "",
    },
    "util.py": {"from trac.util.compat import any\n": ""},
    "ticket.py": {
        "t.time_changed": "t['changetime']",
        "t.time_created": "t['time']",
        "from trac.ticket.notification import TicketNotifyEmail\n": "",
        "import genshi\n": "import trac.util.html as genshi\n",
        "genshi.builder.": "genshi.",
    },
    "json_rpc.py": {
        "import genshi\n": "import trac.util.html as genshi\n",
        "genshi.builder.": "genshi.",
        "genshi.core.": "genshi.",
    },
    "web_ui.py": {
        "from genshi.builder import tag\n": "from trac.util.html import tag\n",
        "from genshi.template.base import TemplateSyntaxError, BadDirectiveError\n": "",
        "from genshi.template.text import TextTemplate\n": "",
        "from trac.wiki.formatter import wiki_to_oneliner\n": "",
        "(TemplateSyntaxError, BadDirectiveError)": "ValueError",
    },
}

source, target = Path(sys.argv[1]), Path(sys.argv[2])
shutil.rmtree(target, ignore_errors=True)
target.mkdir(parents=True)
for name in ("__init__.py", "api.py", "json_rpc.py", "ticket.py", "util.py", "web_ui.py"):
    shutil.copy(source / name, target)
subprocess.run([sys.executable, "-W", "ignore", "-m", "lib2to3", "-w", "-n", target], check=True, capture_output=True)
for name, words in MENDED.items():
    text = (target / name).read_text()
    for old, new in words.items():
        if old not in text:
            raise SystemExit(f"{name} is not the one that is known: it has no {old!r}")
        text = text.replace(old, new)
    (target / name).write_text(text)
