"""One comment on a ticket, brought from what is there to what we want; what people wrote into it stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlmodel import Session

from agent.core import Parts
from agent.notes.phrasing import speak
from agent.notes.speak import Said, Speaker, Unsettled, mark_of
from agent.store.comments import Withheld
from agent.store.database import Database
from agent.store.tables import Comment, utcnow
from connectors.base import Markup, Stored
from connectors.errors import Ambiguous, Transient
from connectors.note import Note, Section, SectionKind, Span, Style
from tests.desk import CAPABILITIES, Desk, note

pytestmark = pytest.mark.anyio
SETTLE = timedelta(seconds=0.2)
MARK = mark_of(b"key", "desk:1")


@dataclass
class Installation:
    """A speaker and its desk with one ticket, read anew before each word."""

    database: Database
    desk: Desk
    shadow: bool = False

    async def say(self, wanted: Note | str) -> Said:
        speaker = Speaker(self.database, b"key", SETTLE, shadow=self.shadow)
        ticket = await self.desk.read_ticket("1")
        self.desk.reads = 0
        return await speaker.say(self.desk, ticket, note(wanted) if isinstance(wanted, str) else wanted)

    def row(self) -> Comment:
        return self.database.call(lambda session: session.get_one(Comment, "desk:1"))

    def texts(self) -> list[str]:
        return [message.text for message in self.desk.comments("1")]


@pytest.fixture
def it(parts_for: Callable[..., Parts], desk: Desk) -> Installation:
    desk.create("VPN is down")
    return Installation(parts_for().database, desk)


async def test_the_same_words_are_said_once_and_others_replace_them(it: Installation) -> None:
    assert [await it.say(words) for words in ("one", "one", "two", "two")] == [
        Said.POSTED,
        Said.UNCHANGED,
        Said.EDITED,
        Said.UNCHANGED,
    ]
    (text,) = it.texts()
    assert text.startswith("two\n\n[//]: # (rolecall-")
    assert "one" not in text


async def test_what_is_kept_is_what_was_said_in_the_marks_of_the_language(it: Installation) -> None:
    """What is kept is what the ticket's page shows, and in shadow mode all that there is."""
    it.desk.capabilities = replace(CAPABILITIES, markup=Markup.PLAIN)
    speak("es")
    try:
        await it.say(Note((Section(SectionKind.ROLE, ((Span("mi", Style.QUOTED),),)),)))
    finally:
        speak("en")
    assert it.texts() == [it.row().text]
    assert "«mi»" in it.row().text


async def test_what_was_read_is_not_read_again(it: Installation) -> None:
    for words in ("one", "two", "two"):
        await it.say(words)
        assert it.desk.reads == 0


async def test_after_an_attempt_without_an_outcome_the_ticket_is_read_again(it: Installation) -> None:
    it.desk.faults = [Ambiguous("no answer")]
    speaker, before = Speaker(it.database, b"key", timedelta(0)), it.desk.tickets["1"]
    with pytest.raises(Ambiguous):
        await speaker.say(it.desk, before, note("one"))
    assert await speaker.say(it.desk, before, note("one")) is Said.UNCHANGED
    assert (it.desk.reads, it.desk.posts) == (1, 1)


@pytest.mark.parametrize(("arrives", "said"), [(True, Said.UNCHANGED), (False, Said.POSTED)])
async def test_what_an_earlier_attempt_for_the_same_event_said_stays_where_it_has_arrived(
    it: Installation, arrives: bool, said: Said
) -> None:
    """Else a helpdesk whose answers are all too late is asked to edit for ever, as similar tickets come and go."""
    it.desk.faults = [Ambiguous("no answer") if arrives else Transient("not now")]
    speaker, before = Speaker(it.database, b"key", timedelta(0)), it.desk.tickets["1"]
    with pytest.raises(Transient):
        await speaker.say(it.desk, before, note("one"))
    assert await speaker.say(it.desk, before, note("two"), repeated=True) is said
    assert it.texts()[0].startswith("one" if arrives else "two")
    assert await speaker.say(it.desk, it.desk.tickets["1"], note("three")) is Said.EDITED


async def test_a_ticket_read_before_another_server_spoke_is_read_again(it: Installation) -> None:
    empty = it.desk.tickets["1"]
    await it.say("one")
    first = it.desk.tickets["1"]
    await it.say("two")
    speaker = Speaker(it.database, b"key", SETTLE)
    assert await speaker.say(it.desk, empty, note("two")) is Said.UNCHANGED
    assert await speaker.say(it.desk, first, note("one")) is Said.EDITED
    assert it.desk.reads == 2
    assert it.texts()[0].startswith("one\n")


async def test_a_persons_words_stay_and_a_later_change_is_one_line_below_them(it: Installation) -> None:
    await it.say("one")
    message = it.desk.comments("1")[0]
    it.desk.rewrite("1", message.id, f"Ask Kim first.\n\n{message.text}")
    assert await it.say("one") is Said.UNCHANGED
    assert it.row().staff_text == "Ask Kim first.\n\none"
    assert await it.say("two") is Said.EDITED
    assert await it.say("three") is Said.EDITED
    assert await it.say("three") is Said.UNCHANGED
    (text,) = it.texts()
    assert text.startswith("Ask Kim first.\n\none\n\nthree\n\n[//]: # (rolecall-")
    assert text.count("rolecall-") == 1
    assert it.row().staff_text == "Ask Kim first.\n\none"
    assert it.row().text.startswith("three\n\n[//]")


async def test_a_person_who_took_the_mark_away_keeps_the_words_too(it: Installation) -> None:
    await it.say("one")
    it.desk.rewrite("1", it.desk.comments("1")[0].id, "I took over.")
    assert await it.say("one") is Said.UNCHANGED
    assert it.texts() == ["I took over."]
    assert await it.say("two") is Said.EDITED
    assert it.texts()[0].startswith("I took over.\n\ntwo\n\n[//]: # (rolecall-")


async def test_what_a_system_makes_of_our_words_is_no_persons_edit(it: Installation) -> None:
    """It shows HTML where Markdown was posted, in its answer or only when it is read."""

    @dataclass
    class Rewriting(Desk):
        answers: bool = True

        async def post_comment(self, ticket_id: str, text: str) -> Stored:
            stored = await super().post_comment(ticket_id, f"<p>{text}</p>")
            return stored if self.answers else Stored(stored.id)

        async def edit_comment(self, ticket_id: str, comment_id: str, text: str) -> Stored:
            stored = await super().edit_comment(ticket_id, comment_id, f"<p>{text}</p>")
            return stored if self.answers else Stored(stored.id)

    for answers, number in ((True, "1"), (False, "2")):
        desk = Rewriting(answers=answers)
        for _ in range(int(number)):
            desk.create("VPN is down")
        speaker = Speaker(it.database, b"key", SETTLE)
        for words, said in (("one", Said.POSTED), ("one", Said.UNCHANGED), ("two", Said.EDITED), ("two", "unchanged")):
            assert await speaker.say(desk, desk.tickets[number], note(words)) == said
        assert [message.text.startswith("<p>two") for message in desk.comments(number)] == [True]


async def test_an_edit_whose_answer_was_lost_is_no_persons_edit(it: Installation) -> None:
    @dataclass
    class Losing(Desk):
        async def edit_comment(self, ticket_id: str, comment_id: str, text: str) -> Stored:
            stored = await super().edit_comment(ticket_id, comment_id, text)
            if self.edits == 1:
                raise Ambiguous("no answer")
            return stored

    desk, speaker = Losing(), Speaker(it.database, b"key", timedelta(0))
    desk.create("VPN is down")
    await speaker.say(desk, desk.tickets["1"], note("one"))
    with pytest.raises(Ambiguous):
        await speaker.say(desk, desk.tickets["1"], note("two"))
    assert await speaker.say(desk, desk.tickets["1"], note("three")) is Said.EDITED
    assert desk.comments("1")[0].text.startswith("three\n\n[//]")


def old_comment(it: Installation, mark: str, sent: str) -> None:
    """Let the desk and the database hold what an earlier release posted; the desk made another text of it."""
    text = f"{sent}\n\n[//]: # ({mark})"
    message = it.desk._store("1", text.replace("#", "#\u2060", 1), "bot", internal=True)

    def remember(session: Session) -> None:
        row = Comment(ticket_key="desk:1", marker=mark, text=text, remote_id=message.id, version="", shown=text)
        row.attempted_at = row.posted_at = utcnow()
        session.add(row)

    it.database.call(remember)


@pytest.mark.parametrize("mark", [MARK, mark_of(b"key", "another name of the desk:1")], ids=["same name", "renamed"])
async def test_a_comment_of_an_earlier_release_is_edited_under_the_mark_it_has(it: Installation, mark: str) -> None:
    old_comment(it, mark, "see #12")
    assert await it.say("two") is Said.EDITED
    (text,) = it.texts()
    assert text.startswith(f"two\n\n[//]: # ({mark}-")
    assert it.desk.posts == 0
    assert it.row().staff_text is None


async def test_a_persons_words_in_a_comment_of_an_earlier_release_stay(it: Installation) -> None:
    old_comment(it, MARK, "see #12")
    message = it.desk.comments("1")[0]
    it.desk.rewrite("1", message.id, f"Kim knows.\n\n{message.text}")
    assert await it.say("two") is Said.EDITED
    assert it.texts()[0].startswith("Kim knows.\n\nsee")


async def test_a_removed_comment_stays_removed(it: Installation) -> None:
    await it.say("one")
    it.desk.tickets["1"] = replace(it.desk.tickets["1"], messages=())
    assert it.row().withheld is None
    assert await it.say("two") is Said.REMOVED_BY_STAFF
    assert it.texts() == []
    assert it.row().withheld == Withheld.DELETED


async def test_in_the_shadow_the_note_is_recorded_and_later_said_once(it: Installation) -> None:
    it.shadow = True
    assert [await it.say(words) for words in ("one", "two")] == [Said.SHADOWED] * 2
    assert (it.texts(), it.desk.posts) == ([], 0)
    assert it.row().text.startswith("two\n\n[//]: # (rolecall-")
    assert (it.row().attempted_at, it.row().remote_id) == (None, None)
    it.shadow = False
    assert await it.say("two") is Said.POSTED


@pytest.fixture
def immutable(it: Installation) -> Installation:
    it.desk.capabilities = replace(CAPABILITIES, edits_comments=False, markup=Markup.PLAIN)
    return it


async def test_where_nothing_can_be_edited_a_changed_answer_says_that_it_replaces_the_older(
    immutable: Installation,
) -> None:
    it = immutable
    said = [await it.say(words) for words in ("one", "one", "two", "two", "one")]
    assert said == [Said.POSTED, Said.UNCHANGED, Said.POSTED, Said.UNCHANGED, Said.POSTED]
    assert [text.splitlines()[:-1] for text in it.texts()] == [
        ["one", ""],
        ["two", "", "This replaces my earlier comment.", ""],
        ["one", "", "This replaces my earlier comment.", ""],
    ]
    assert it.desk.edits == 0


async def test_where_nothing_can_be_edited_a_lost_answer_leads_to_no_second_comment(immutable: Installation) -> None:
    it = immutable
    await it.say("one")
    it.desk.faults = [Ambiguous("no answer"), Transient("busy")]
    with pytest.raises(Ambiguous):
        await it.say("two")
    with pytest.raises(Unsettled):
        await it.say("two")
    speaker = Speaker(it.database, b"key", timedelta(0))
    assert await speaker.say(it.desk, it.desk.tickets["1"], note("two")) is Said.UNCHANGED
    assert len(it.texts()) == 2
    with pytest.raises(Transient, match="busy"):
        await it.say("three")
    assert await it.say("three") is Said.POSTED
    assert len(it.texts()) == 3
