"""`rolecall report`: the week in numbers, as text, HTML or Markdown."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for


class Form(StrEnum):
    """How the report is written."""

    TEXT = "text"
    HTML = "html"
    MARKDOWN = "markdown"


def report(
    name: Annotated[
        str | None, typer.Argument(metavar="[WEEK]", help="Such as 2026-W47.", show_default="the last whole week")
    ] = None,
    week: Annotated[bool, typer.Option("--week", help="The numbers of a week: there are no others yet.")] = True,
    form: Annotated[Form, typer.Option("--format", help="How it is written.")] = Form.TEXT,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Print the week in numbers: what was suggested, how often that was right, what was corrected, what to do next.

    How often a clear suggestion is right is taken from random checks alone (setting checks.share): people report
    wrong ones more than right ones.
    """
    from markupsafe import Markup

    from agent.cli.console import harmless
    from agent.cli.db import open_database
    from agent.config.roles_file import load_roles
    from agent.errors import BadInput
    from agent.pages import document
    from agent.pages.report import read
    from agent.pages.site import environment, static_files
    from agent.pages.texts import load
    from agent.pages.words import Words
    from agent.report.week import Week
    from agent.store.coordination import utcnow

    chosen = Week.of(name) if name is not None else None
    if name is not None and chosen is None:
        raise BadInput(f"{name} is no week: write it as {Week.containing(utcnow().date())}")
    settings = settings_for(config, data)
    texts = load(settings.language, settings.texts)
    words = Words(texts, load_roles(settings.roles), utcnow)
    with open_database(config, data) as database:
        made = database.call(read, settings, words, chosen)
    if form is Form.HTML:
        static = static_files()
        style = Markup(static["rolecall.css"].decode("utf-8"))  # noqa: S704 - our own file
        template = environment(texts, words, static).get_template("report_alone.html")
        written = template.render(document=made, style=style)
    else:
        written = document.as_markdown(made) if form is Form.MARKDOWN else document.as_text(made)
    sys.stdout.write(written if form is Form.HTML else harmless(written))
