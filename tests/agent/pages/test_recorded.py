"""What the database holds in English sentences of ours is said in the language of the pages; the rest stays."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import httpx
import pytest
from httpx import Headers

from agent.learning.promotion import Comparison, decide
from agent.learning.rollback import live_evidence
from agent.pages.recorded import recorded
from agent.pages.texts import LANGUAGES, load
from connectors.http import Response, error_of_exception, error_of_status
from tests.agent.learning.test_due import trained, wait
from tests.agent.learning.test_promotion import pair, silent

ROOT = Path(__file__).parents[3]
texts = cache(load)
FOREIGN = "OSError: [Errno 28] No space left on device"


def of_trainings() -> Iterator[str]:
    """Yield reasons as trainings record them."""
    for gained, lost, change in ((40, 40, 0.0), (10, 60, 0.0), (40, 40, 0.2)):
        challenger, champion = pair(600, gained, lost, change)
        yield decide(Comparison(challenger, silent(challenger), champion)).reason
    few, champion = pair(100, 10, 11)
    unsure = decide(Comparison(few, silent(few), champion)).reason
    first = decide(Comparison(few, silent(few))).reason
    yield from (unsure, first, f"{first}; frozen after it: {unsure}")
    yield decide(Comparison(*pair(22, 2, 2), few)).reason
    yield decide(Comparison(*pair(150, 0, 20))).reason
    yield decide(Comparison(challenger, silent(challenger), champion, best_ever=pair(600, 0, 0)[1])).reason
    challenger, champion = pair(600, 40, 40)
    yield decide(Comparison(challenger, silent(challenger), champion, roles_added=("VPN",))).reason
    yield live_evidence(*(grades.right for grades in pair(22, 2, 2))).reason
    for last, retrain in (("today", "nightly"), ("yesterday", "weekly"), ("yesterday", 50)):
        yield wait(trained(1, last), retrain) or ""


def of_events() -> Iterator[str]:
    """Yield errors as events keep them."""
    for status in (302, 401, 403, 404, 500):
        answer = Response(status, Headers(), b"")
        yield str(error_of_status("GET /x", answer, write=False, now=datetime(2026, 3, 9, tzinfo=UTC)))
    refused, unknown = httpx.ConnectError("x"), httpx.ConnectError("x")
    refused.__cause__, unknown.__cause__ = ConnectionRefusedError(), ssl.SSLError()
    for error in (
        refused,
        unknown,
        *(httpx.ConnectTimeout("x"), httpx.ReadTimeout("x"), httpx.ReadError("x")),
        TimeoutError(),
    ):
        yield str(error_of_exception("GET /x (desk.test)", error, write=False))
    yield "POST REST/2.0/ticket/1/comment: answered 400: the account lacks the right CommentOnTicket"
    yield "GET /x: the answer has no list at issues"
    yield "the answer is not redmine's: no number at id"
    yield "an earlier attempt to comment may still be under way"


def test_each_is_found_again_in_every_language() -> None:
    found = [*of_trainings(), *of_events()]
    assert [(said, each) for said in found for each in LANGUAGES[1:] if recorded(texts(each), said) == said] == []
    english = [re.sub("</?bdi>", "", recorded(texts("en"), said).unescape()).replace(" %", "%") for said in found]
    assert [said.replace(",", "") for said in english] == [said.replace(",", "") for said in found]


def test_numbers_and_what_is_said_within_are_translated_too() -> None:
    last = "not worse: right on 93.1% of 1200 tickets, what serves on 90.0%"
    german = "nicht schlechter: richtig bei 93,1 % von 1.200 Tickets, das dienende bei 90,0 %"
    assert recorded(texts("de"), last) == german
    assert recorded(texts("de"), f"stopped midway; frozen after it: {last}").endswith(f"danach frozen: {german}")
    assert recorded(texts("fr"), f"training failed: {FOREIGN}") == f"échec de l&#39;entraînement\xa0: {FOREIGN}"


@pytest.mark.parametrize("said", [FOREIGN, "", "because of <b>Kim</b>", "GET /x: answered by Kim"])
def test_words_of_others_stay_as_they_are(said: str) -> None:
    assert recorded(texts("de"), said).unescape() == said
    assert "<b>" not in recorded(texts("de"), said)


def test_no_sentence_is_one_that_nothing_records() -> None:
    """All that stands between the values of each is somewhere in the code."""
    rooms = (
        "agent/learning",
        "agent/notes",
        "agent/fitting",
        "agent/store",
        "agent/model_api",
        "agent/cli",
        "connectors",
    )
    files = [file for room in rooms for file in (ROOT / room).rglob("*.py")]
    code = re.sub(r'"\s*\n\s*f?"', "", "\n".join(file.read_text("utf-8") for file in files)).replace('\\"', '"')
    for key, sentence in texts("en").sentences.items():
        for part in (
            re.split(r"\{\w+\}|: |, |(?: right)? on\b| group | tag ", sentence) if key.startswith("recorded.") else ()
        ):
            assert part.strip(" :,;()") in code, key
