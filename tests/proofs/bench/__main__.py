"""`python -m tests.proofs.bench NAME [arguments]` runs main in NAME.py; its last line is key=value pairs."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).parent


def names() -> list[str]:
    """Return the benchmarks: the modules of this folder that define a main function."""
    return sorted(path.stem for path in HERE.glob("[a-z]*.py") if "\ndef main(" in path.read_text("utf-8"))


def run(arguments: list[str]) -> int:
    """Run one benchmark and return its exit code; without a known name, list them."""
    if not arguments or arguments[0] not in names():
        print(f"python -m tests.proofs.bench NAME [arguments]; NAME is one of: {', '.join(names())}", file=sys.stderr)
        return 2
    return int(importlib.import_module(f"tests.proofs.bench.{arguments[0]}").main(arguments[1:]) or 0)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
