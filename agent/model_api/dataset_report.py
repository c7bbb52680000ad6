"""One HTML file to go through a model's wrong answers by keyboard, and to disagree with the data set where it errs.

The file needs no server and loads nothing; verdicts stay in the browser until they are saved as CSV.
"""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader

from agent.fitting.evaluation import Report
from agent.model_api.dataset_answers import Answer
from agent.web.protection import inline

TEMPLATE, STYLE, SCRIPT = "review.html.j2", "review.css", "review.js"
POLICY = "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'"
"""Exactly the page's own style and script: what a text might smuggle in does not run."""


def render(title: str, report: Report, wrong: Sequence[Answer]) -> str:
    """Return the page; whatever the texts hold is shown as text."""
    loader = PackageLoader("agent.model_api")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    style, script = (loader.get_source(environment, name)[0] for name in (STYLE, SCRIPT))
    return environment.get_template(TEMPLATE).render(
        title=title,
        report=report,
        wrong=wrong,
        style=style,
        script=script,
        policy=POLICY.format(inline(style.encode()), inline(script.encode())),
    )
