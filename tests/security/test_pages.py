"""Pages run their own scripts and nobody else's; a review's CSV starts no formula."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from agent.fitting.evaluation import evaluate
from agent.model_api.dataset_predictions import RowPrediction
from agent.model_api.dataset_report import SCRIPT, render
from agent.model_api.datasets import Row
from agent.model_api.web.docs import policy
from agent.web.protection import inline
from tests.client.served import KEY, start
from tests.security.browser import look, needs_browser
from tests.stubs.server import Asked, Reply, serving

one_worker = pytest.mark.xdist_group("documentation")
"""Starts the server once for all tests."""

EVIL = "<img src=x onerror=document.title=1337><script>document.title=1337</script>"
FORMULAS = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "＝1", '"=1', "harmless, with = inside"]


@pytest.fixture(scope="module")
def documentation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server, url, _ = start(tmp_path_factory.mktemp("data"), API_KEY=KEY)
    with server:
        yield f"{url}/docs"
        server.terminate()


def review(*texts: str) -> str:
    report = evaluate(np.array([[0.2, 0.8]]), np.array([[1.0, 0.0]]), ("a", "b"))
    return render("faults", report, [RowPrediction(Row(text, "a"), "b", 0.8) for text in texts])


def test_every_script_of_a_page_is_allowed_by_its_hash_and_no_other() -> None:
    page = review(EVIL)
    (allowed,) = re.findall(r"script-src ([^;]+);", html.unescape(page))
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert allowed == inline(script.encode())
    assert "unsafe" not in page.partition("<title>")[0]
    assert html.escape(EVIL, quote=False)[:20] in page


def test_a_script_that_is_added_later_is_not_allowed() -> None:
    """The control: the policy is of a page as it was made."""
    assert inline(b"evil()") not in policy(b"<script>good()</script>")
    assert inline(b"good()") in policy(b"<script>good()</script>")


@needs_browser
@one_worker
def test_the_documentation_works_under_its_policy(documentation: str, tmp_path: Path) -> None:
    seen = look(documentation, tmp_path)
    assert seen.refused == []
    assert seen.document.count("opblock-summary-path") > 10


@needs_browser
@one_worker
def test_the_documentation_works_behind_a_path_of_a_proxy(documentation: str, tmp_path: Path) -> None:
    origin = documentation.removesuffix("/docs")

    def answer(asked: Asked) -> Reply:
        if not asked.path.startswith("/desk/rolecall/"):
            return Reply(404)
        answered = httpx.get(origin + asked.path.removeprefix("/desk/rolecall"))
        told = {
            name: answered.headers[name]
            for name in ("content-type", "content-security-policy")
            if name in answered.headers
        }
        return Reply(answered.status_code, answered.content, {name.title(): value for name, value in told.items()})

    with serving(answer) as url:
        seen = look(f"{url}/desk/rolecall/docs", tmp_path)
    assert seen.document.count("opblock-summary-path") > 10
    assert '<option value=".">' in seen.document  # what is tried out goes to the same place


@needs_browser
@one_worker
def test_a_browser_refuses_what_the_policy_does_not_name(documentation: str, tmp_path: Path) -> None:
    """The control: the same page and policy, with a script more."""
    page = httpx.get(documentation)
    told = {"Content-Type": "text/html", "Content-Security-Policy": page.headers["content-security-policy"]}

    def answer(asked: Asked) -> Reply:
        return Reply(200, page.content.replace(b"</body>", EVIL.encode() + b"</body>"), told)

    with serving(answer) as url:
        seen = look(f"{url}/docs", tmp_path)
    assert seen.refused
    assert "<title>1337" not in seen.document


HARNESS = """<script>
URL.createObjectURL = blob => { blob.text().then(text => {
  document.querySelector("title").textContent = JSON.stringify(text); }); return "about:blank#"; };
HTMLAnchorElement.prototype.click = () => {};
document.querySelector("#save").dispatchEvent(new Event("click"));
</script></html>"""


@needs_browser
def test_a_review_works_and_its_csv_starts_no_formula(tmp_path: Path) -> None:
    file = tmp_path / "review.html"
    file.write_text(review(EVIL, *FORMULAS), "utf-8")
    seen = look(file.as_uri(), tmp_path / "first")
    assert seen.refused == []
    assert f"0 of {len(FORMULAS) + 1} reviewed" in seen.document  # its script ran
    assert "1337</title>" not in seen.document

    free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", file.read_text("utf-8"))
    file.write_text(free.replace("</html>", HARNESS), "utf-8")
    title = re.search(r"<title>(.*?)</title>", look(file.as_uri(), tmp_path / "second").document, re.DOTALL)
    assert title is not None
    saved: str = json.loads(html.unescape(title[1]))
    rows = list(csv.reader(io.StringIO(saved, newline="")))
    assert [len(row) for row in rows] == [5] * (len(FORMULAS) + 2)
    assert "" not in {cell for row in rows[1:] for cell in row[:1]}
    assert [cell for row in rows for cell in row if cell[:1] in "=+-@\t\r＝"] == [""] * (len(FORMULAS) + 1)
    assert rows[-1][0] == FORMULAS[-1]


def test_the_shipped_script_is_the_one_that_is_judged_here() -> None:
    assert (Path(__file__).parents[2] / "agent/model_api/templates" / SCRIPT).read_text("utf-8") in review("x")
