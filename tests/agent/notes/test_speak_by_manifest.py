"""One comment on a ticket of every shipped kind; where it cannot be edited, one more only if the answer changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from agent.core import Parts
from agent.notes.speak import Said, Speaker
from connectors.markup import version_there
from tests.connectors.systems.installed import SYSTEMS, installed
from tests.desk import note

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", SYSTEMS)
async def test_the_same_answer_is_given_once_and_another_replaces_it(
    name: str, parts_for: Callable[..., Parts]
) -> None:
    system = installed(name)
    ticket, connector = system.fake.file("Pump 7 leaks"), system.connect(author_id=None)
    number, speaker = system.fake.name(ticket.id), Speaker(parts_for().database, b"key", timedelta(seconds=0.2))
    said = []
    for words in ("one", "one", "two", "two"):
        said.append(await speaker.say(connector, await connector.read_ticket(number), note(words)))
    edits = connector.capabilities.edits_comments
    assert said == [Said.POSTED, Said.UNCHANGED, Said.EDITED if edits else Said.POSTED, Said.UNCHANGED]
    texts = [comment.text for comment in ticket.comments]
    assert len(texts) == (1 if edits else 2)
    assert "two" in texts[-1]
    assert "one" not in texts[-1]
    mark = next(word for word in texts[-1].replace("<", " ").replace(">", " ").split() if "rolecall-" in word)
    assert version_there(texts[-1], mark.strip("()")[:29]) is not None
    if not edits:
        assert "replaces" in texts[-1], "the newest says that it replaces the older"
        assert "replaces" not in texts[0]
