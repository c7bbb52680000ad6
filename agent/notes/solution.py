"""The wording of what is written about a ticket: how it was solved, or where it stands.

Every sentence is a person's, in quotation marks, with the number of its message: 1 is the text that the ticket was
opened with. Where nothing was found we say so, and ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.notes.phrasing import joined, spoken, worded
from agent.store import writings
from agent.store.database import Database
from agent.store.writings import EARLIER, Verdict, Writing
from agent.writing.note import SOLVED, Outcome, Part, Written
from agent.writing.thread import Sentence
from connectors.note import Note, Paragraph, Section, SectionKind, Span, Style

SOLVED_HEAD = "**How it was solved**, in the words of its messages (the numbers are theirs, 1 is the ticket's text):"
ENDED_HEAD = (
    "**No fix is recorded:** {how}, in the words of its messages (the numbers are theirs, 1 is the ticket's text):"
)
NOTHING = "**No fix is recorded** in this ticket's messages. What helped? One line here spares the next one the search."
UNSURE_HEAD = (
    "**What was said last**; whether it helped, I cannot tell (1 is the ticket's text, the others its messages):"
)
DONE_HEAD = (
    "**What was done last**; whether it helped, nobody says clearly (1 is the ticket's text, the others its messages):"
)
UNSURE_ASKS = "If something else helped, one line here spares the next one the search."
EDITED_HEAD = "**How it was solved**, as a colleague wrote it:"
WRONG = "**How it was solved:** a colleague said that the note that stood here was wrong."
LIKELIEST = "**The message that most likely helped** (its language is one that I cannot read):"
SUMMARY_HEAD = "**Where it stands**, in the words of its messages (the numbers are theirs, 1 is the ticket's text):"
NOTHING_TO_SUM = "There is nothing to sum up: nobody has answered yet."

HEADING = "**{part}:**"
HEADINGS: Mapping[Part, str] = {
    Part.PROBLEM: "Problem",
    Part.CAUSE: "Cause",
    Part.FOUND: "Found",
    Part.FIX: "Fix",
    Part.REASON: "Why",
    Part.ANSWER: "Answer",
    Part.DONE: "Done",
    Part.STATUS: "Last",
    Part.TRIED: "Tried before",
}
ENDINGS: Mapping[Outcome, str] = {
    Outcome.DECLINED: "declined",
    Outcome.DUPLICATE: "another ticket is about the same",
    Outcome.NO_FIX: "closed without one",
}


def of_stored(stored: Writing) -> Section:
    """Return the section on a closed ticket as it was stored."""
    if stored.verdict == Verdict.WRONG:
        return Section(SectionKind.SOLUTION, (worded(WRONG),))
    if stored.said is None:
        return of_closure(written_of(stored))
    lines = [line.strip() for line in stored.said.splitlines() if line.strip()]
    return Section(SectionKind.SOLUTION, (worded(EDITED_HEAD), *((Span(line),) for line in lines)))


def plain(written: Written) -> str:
    """Return a note as lines of plain text, to read and edit, its headings in the language of comments."""
    heading = spoken(HEADING).replace("*", "")
    told = (
        (spoken(HEADINGS[part]), " ".join(f"{s.text} [{s.number}]" for s in sentences))
        for part, sentences in written.parts
    )
    return "\n".join(f"{heading.format(part=part)} {text}" for part, text in told)


def written_of(stored: Writing) -> Written:
    """Return what was stored as it was written."""
    parts = tuple(
        (Part(part), tuple(Sentence(text, number, message_id, 0) for text, number, message_id in sentences))
        for part, sentences in stored.parts
        if part != EARLIER
    )
    return Written(Outcome(stored.outcome), parts)


def of_closure(written: Written) -> Section:
    """Return the section on a closed ticket."""
    if written.outcome in SOLVED:
        return _section(SOLVED_HEAD, written)
    if written.outcome is Outcome.UNKNOWN and any(written.sentences(Part.ANSWER)):
        return _section(LIKELIEST, written)
    if any(written.sentences(Part.REASON)):
        return _section(ENDED_HEAD, written, how=spoken(ENDINGS[written.outcome]))
    if any(written.sentences(Part.DONE, Part.STATUS)):
        said = _section(DONE_HEAD if any(written.sentences(Part.DONE)) else UNSURE_HEAD, written)
        return Section(said.kind, (*said.paragraphs, worded(UNSURE_ASKS)))
    return Section(SectionKind.SOLUTION, (worded(NOTHING), *_lines(written, without=Part.PROBLEM)))


def of_summary(written: Written) -> Paragraph:
    """Return the answer to `/role summary`."""
    if not written.says_something:
        return worded(NOTHING_TO_SUM)
    return joined([worded(SUMMARY_HEAD), *_lines(written)], " ")


def with_section(note: Note | None, section: Section) -> Note:
    """Return the note with the section in place of another one of its kind, below the role and above the commands."""
    there = [each for each in (note.sections if note else ()) if each.kind is not section.kind]
    place = sum(each.kind in (SectionKind.ROLE, SectionKind.ANSWER) for each in there)
    return Note((*there[:place], section, *there[place:]), note.choices if note else ())


async def with_stored(database: Database, key: str, note: Note) -> Note:
    """Return the note on a closed ticket with what was written on how it was solved, where that is shown."""
    stored = await database.read(writings.closing, key)
    return with_section(note, of_stored(stored)) if stored and stored.shown else note


def _section(head: str, written: Written, **values: str) -> Section:
    return Section(SectionKind.SOLUTION, (worded(head, **values), *_lines(written)))


def _lines(written: Written, without: Part | None = None) -> list[Paragraph]:
    return [_line(part, sentences) for part, sentences in written.parts if part is not without]


def _line(part: Part, sentences: Sequence[Sentence]) -> Paragraph:
    told = [(Span(s.text, Style.QUOTED), Span(f" [{s.number}]")) for s in sentences]
    return (*worded(HEADING, part=spoken(HEADINGS[part])), Span(" "), *joined(told, " "))
