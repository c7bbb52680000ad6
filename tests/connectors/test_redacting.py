"""What is recorded of a delivery still becomes its events, and holds no secret, name, address or text of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.events import Delivery
from connectors.manifest.catalogue import Example, examples, presets
from connectors.manifest.expressions import compiled
from connectors.manifest.redacting import NotRecordable, Redactor, example_of
from connectors.manifest.system import System, bare
from tests.connectors.systems.installed import NEW, kind, raw

SENDING = [name for name in presets() if kind(name).manifest.receive]
CANARIES = (
    "s3cr3tOfTheHook",
    "Mustermann",
    "erika.mustermann@nordhafen.example",
    "Erika Mustermann has no water on floor 7",
    "+49 170 5551234",
    "491705551234",
    "Bearer eyJhbGciOi",
    "https://nordhafen.example/private/7",
    "\u202eMüller-Lüdenscheidt",
)


def delivered(name: str, example: Example, body: Any, headers: dict[str, str]) -> Delivery:
    receive = kind(name).manifest.receive
    assert receive is not None
    in_path = any(proof.by == "path" for proof in receive.verify)
    segment = f"{CANARIES[0]}/{example.segment}" if in_path else example.segment
    return Delivery({**example.headers, **headers}, raw(body), segment)


def system_of(name: str, example: Example) -> System:
    return bare(name, kind(name).manifest, dict(example.settings))


def sown(value: Any, turn: list[int]) -> Any:
    """Return a body with a canary in the place of each text with blanks, and one beside each part."""
    if isinstance(value, dict):
        made = {key: sown(inner, turn) for key, inner in value.items()}
        turn[0] += 1
        canary = CANARIES[turn[0] % len(CANARIES)]
        return made | {"phone": canary, canary: canary, "customer": {"name": canary, "id": canary}}
    if isinstance(value, list):
        return [sown(inner, turn) for inner in value]
    turn[0] += 1
    return CANARIES[turn[0] % len(CANARIES)] if isinstance(value, str) and " " in value and "T" not in value else value


@pytest.mark.parametrize("name", SENDING)
def test_every_example_is_recorded_without_any_canary_and_becomes_the_same(name: str) -> None:
    redactor = Redactor(kind(name).manifest, b"one run")
    secret_headers = {"authorization": CANARIES[6], "x-hub-signature": CANARIES[0], "cookie": CANARIES[0], "via": NEW}
    for example in examples(name):
        sent = delivered(name, example, sown(example.body, [0]), secret_headers)
        made = example_of(sent, system_of(name, example), example.author_id, redactor)
        assert [event["kind"] for event in made["events"]] == [kind_ for kind_, *_ in example.events], example.name
        written = json.dumps(made, ensure_ascii=False)
        for canary in (*CANARIES, NEW):
            assert canary not in written, example.name
            assert not any(word in written for word in canary.split() if len(word) > 5), example.name
        tickets = {ticket for _, ticket, _ in example.events if len(ticket) > 1}
        assert not any(f'"{ticket}"' in written or f" {ticket}," in written for ticket in tickets), example.name


def test_the_control_that_keeps_everything_shows_the_canaries() -> None:
    (first, *_) = examples("github")
    sent = delivered("github", first, sown(first.body, [0]), {})
    assert any(canary in sent.body.decode() for canary in CANARIES[1:5])


def test_one_run_replaces_a_word_always_by_the_same_and_another_run_by_another() -> None:
    one, other = (Redactor(kind("github").manifest, key) for key in (b"one", b"other"))
    words = [one.text(word) for word in ("OPS-42", "OPS-43", "nordhafen/field-ops", "5f1c8a52-0c8e-4a57", "42")]
    assert words == [one.text(word) for word in ("OPS-42", "OPS-43", "nordhafen/field-ops", "5f1c8a52-0c8e-4a57", "42")]
    assert words[0].partition("-")[0] == words[1].partition("-")[0]
    assert words[0] != words[1]
    assert words[4] == words[0].partition("-")[2] == str(one.value(42))
    assert other.text("nordhafen/field-ops") != words[2]
    assert len({one.value(number) for number in range(30)}) == 30


def test_times_truths_and_the_words_of_the_manifest_are_kept() -> None:
    redactor = Redactor(kind("github").manifest, b"one run")
    body = {"action": "opened", "created_at": "2026-11-02T07:14:03Z", "user": None, "body": True, "id": 0.25}
    assert redactor.value(body) == body | {"id": 0.5}
    assert redactor.text("1980-02-03") != "1980-02-03", "a day without a time may be a birthday"


def test_what_would_become_something_else_is_refused() -> None:
    """A rule that looks at all of a body, or at its size, cannot be satisfied by a part of it."""
    made = kind("github")
    (first, *_) = [example for example in examples("github") if example.events]
    looks = made.manifest.receive
    assert looks is not None
    rule = looks.event[0].model_copy(update={"when": compiled("length(to_string(body)) > `600`")})
    manifest = made.manifest.model_copy(update={"receive": looks.model_copy(update={"event": (rule,)})})
    system = bare("github", manifest, dict(first.settings))
    with pytest.raises(NotRecordable, match="it becomes created, and no event without"):
        example_of(Delivery(first.headers, raw(first.body | {"more": "x" * 900})), system, "", Redactor(manifest, b"k"))
