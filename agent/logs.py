"""Logging: structlog, constant event names, data in keywords; never a secret, never the text of a ticket."""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import Literal, TextIO, cast

import structlog


def configure(log_format: Literal["console", "json"], level: int = logging.WARNING) -> None:
    """Send structlog and the standard library's loggers to stderr in one form, from a level on.

    Our own lines are written directly: through the standard library one costs as much as parsing a webhook.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_json)]
        if log_format == "json"
        # The renderer's own choice, rich's tracebacks, shows what variables held: secrets and tickets.
        else [_printable, structlog.dev.ConsoleRenderer(colors=False, exception_formatter=_traceback)]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, LossyStream(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    foreign: list[structlog.typing.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=foreign))
    handler.addFilter(lambda line: not line.name.startswith("apprise"))  # parts of an address may be secrets
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # httpx and urllib3 log whole URLs, and a URL may hold a secret; the scheduler logs every run, azure every request.
    # Apprise tells why a notice did not arrive in its warnings alone, whatever level is shown.
    for library in ("httpx", "apscheduler", "alembic", "azure", "urllib3", "apprise"):
        logging.getLogger(library).setLevel(logging.WARNING)


def _printable(_logger: object, _method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Escape control characters: no ticket's id or response's text may start a line or colour one."""
    for name, value in line.items():
        if isinstance(value, str) and not value.isprintable():
            line[name] = _escaped(value)
    return line


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _traceback(sio: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    """Write a traceback with every line indented, for an error's own text may look like a line of the log."""
    trace = io.StringIO()
    structlog.dev.plain_traceback(trace, exc_info)
    sio.writelines(f"\n    {_escaped(line)}" for line in trace.getvalue().strip("\n").split("\n"))


class LossyStream:
    """A stream that drops lines it cannot write: a full disk or a closed stream must not stop the server."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write the line, or drop it."""
        try:  # noqa: SIM105 - suppress() would be felt in every acknowledgement
            self._stream.write(text)
        except (OSError, ValueError):
            pass

    def flush(self) -> None:
        """Flush, or drop what was written."""
        try:  # noqa: SIM105
            self._stream.flush()
        except (OSError, ValueError):
            pass


_ENCODER = json.JSONEncoder(default=repr)


def _json(line: object, **_defaults: object) -> str:
    return _ENCODER.encode(line)  # json.dumps would make an encoder for every line
