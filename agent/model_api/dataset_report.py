"""An HTML page to review a model's wrong predictions by keyboard and mark the labels that the data set has wrong.

The page needs no server and loads nothing; the marks stay in the browser until they are saved as CSV.
"""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader

from agent.fitting.evaluation import Report
from agent.model_api.dataset_predictions import RowPrediction
from agent.web.protection import inline

TEMPLATE, STYLE, SCRIPT = "review.html.j2", "review.css", "review.js"
POLICY = "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'"
"""Exactly the page's own style and script: what a text might smuggle in does not run."""


def render(title: str, report: Report, wrong: Sequence[RowPrediction]) -> str:
    """Return the page. Texts are escaped, so that markup in them is shown and not run."""
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
