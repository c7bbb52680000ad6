"""One HTML file to go through a model's wrong answers by keyboard, and to disagree with the data set where it errs.

The file needs no server and loads nothing; verdicts stay in the browser until they are saved as CSV.
"""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader

from agent.classifiers.dataset_answers import Answer
from agent.learning.evaluation import Report

TEMPLATE = "review.html.j2"


def render(title: str, report: Report, wrong: Sequence[Answer]) -> str:
    """Return the page; whatever the texts hold is shown as text."""
    environment = Environment(loader=PackageLoader("agent.web"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(TEMPLATE).render(title=title, report=report, wrong=wrong)
