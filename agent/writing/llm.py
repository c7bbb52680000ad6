"""The writer that asks a language model, at any address that speaks OpenAI's chat completions.

What it writes is shown only where the gate lets all of it through (`agent.writing.gate`); in every other case, and
whenever the model is slow, dead, too busy or out of budget, the note is the extractive one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import structlog

from agent.writing import extractive, gate, prompt
from agent.writing.cues import Cue
from agent.writing.marking import mark
from agent.writing.masking import Masker
from agent.writing.note import SOLVED, Part, Written
from agent.writing.reading import Reading
from agent.writing.thread import Sentence, Thread
from agent.writing.weights import shipped

if TYPE_CHECKING:
    from openai import AsyncOpenAI

log = structlog.get_logger()

MOST_WORDS = 100
"""Words of a note that a model wrote, its headings among them."""
CALL_SECONDS = 20.0
FAILURES = 3
"""After so many failed calls in a row the model is left alone."""
PAUSE_SECONDS = 300.0
DAY_SECONDS = 86_400.0
LONGEST_WAIT = 5.0
"""Seconds that a busy model may ask us to wait before the only other try."""
_REFUSED = (400, 404, 415, 422, 500, 501)
"""Statuses with which servers refuse a form of answer that they do not know: llama.cpp's server says 500."""


class Rung(IntEnum):
    """The forms of answer that can be asked for, the strictest first. The one that worked is remembered."""

    SCHEMA = 0
    OBJECT = 1
    TEXT = 2


FORMATS: Mapping[Rung, Mapping[str, Any]] = {
    Rung.SCHEMA: {"response_format": {"type": "json_schema", "json_schema": prompt.SCHEMA}},
    Rung.OBJECT: {"response_format": {"type": "json_object", "schema": prompt.SCHEMA["schema"]}},
    Rung.TEXT: {},
}


class NoNote(Exception):
    """The model gave no note that can be shown; the message says why."""


@dataclass
class LanguageModel:
    """A writer. `deadline` is that of a whole note in seconds, `tokens_a_day` the budget of this process."""

    client: AsyncOpenAI
    model: str
    deadline: float = 45.0
    tokens_a_day: int = 500_000
    clock: Any = time.monotonic
    _rung: Rung = Rung.SCHEMA
    _failures: int = 0
    _closed_until: float = 0.0
    _spent: list[tuple[float, int]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Who writes: part of what is stored with a note."""
        return f"{self.model} {prompt.VERSION}"

    async def write(self, thread: Thread) -> Written:
        """Return the note on a thread that has ended: the model's where it can be shown, else the extractive one."""
        reading = Reading(await asyncio.to_thread(mark, thread), shipped())
        written = await asyncio.to_thread(extractive.written, reading)
        if written.outcome not in SOLVED:
            return written  # there is no fix to word
        try:
            async with asyncio.timeout(self.deadline):
                return await self._asked(reading, written)
        except NoNote as why:
            log.info("language_model_note_refused", why=str(why))
        except TimeoutError:
            self._failed("no answer within the deadline")
        return written

    async def _asked(self, reading: Reading, written: Written) -> Written:
        if self.clock() < self._closed_until:
            raise NoNote("it is left alone after failures")
        masker = Masker()
        told = [(n, who, masker.mask(text)) for n, who, text in _messages(reading)]
        chat = prompt.asked(told)
        self._spend(sum(len(each["content"]) for each in chat) // 4 + prompt.MOST_TOKENS)
        content = await self._complete(chat)
        try:
            answer = prompt.understood(content)
        except ValueError:
            raise NoNote("its answer has another form") from None
        return _gated(answer, reading, written, masker)

    async def _complete(self, chat: Sequence[Mapping[str, str]]) -> str:
        """Return what the model wrote; step down the ladder where a form is refused, and wait once where it is busy."""
        from openai import APIConnectionError, APIStatusError, OpenAIError

        waited = False
        while True:
            try:
                answer = await self.client.chat.completions.create(
                    model=self.model,
                    messages=list(chat),  # type: ignore[arg-type]
                    temperature=0,
                    max_tokens=prompt.MOST_TOKENS,
                    extra_body=dict(FORMATS[self._rung]),
                )
                content = answer.choices[0].message.content
            except APIStatusError as error:
                if error.status_code == 429 and not waited:
                    waited = True
                    await asyncio.sleep(_wait(error.response.headers.get("retry-after")))
                elif error.response.is_redirect:
                    raise self._failed(f"HTTP {error.status_code}: it sends us to another address") from None
                elif error.status_code in _REFUSED and self._rung < Rung.TEXT:
                    self._rung = Rung(self._rung + 1)
                else:
                    raise self._failed(f"HTTP {error.status_code}") from None
                continue
            except APIConnectionError:
                raise self._failed("it cannot be reached") from None
            except (OpenAIError, ValueError, TypeError, AttributeError, IndexError, LookupError):
                raise self._failed("its answer is none") from None
            self._failures = 0
            return _text(content)

    def _failed(self, why: str) -> NoNote:
        self._failures += 1
        if self._failures >= FAILURES:
            self._closed_until, self._failures = self.clock() + PAUSE_SECONDS, 0
        log.warning("language_model_failed", why=why)
        return NoNote(why)

    def _spend(self, tokens: int) -> None:
        now = self.clock()
        self._spent = [(at, count) for at, count in self._spent if at > now - DAY_SECONDS]
        if sum(count for _, count in self._spent) + tokens > self.tokens_a_day:
            raise NoNote("the day's tokens are used up")
        self._spent.append((now, tokens))


def connected(url: str, key: str, model: str, deadline: float, tokens_a_day: int) -> LanguageModel:
    """Return the writer for a model at an address, which tickets are sent to and to no other that it may name.

    One call takes 20 seconds at most; the client never tries again.
    """
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    straight = DefaultAsyncHttpxClient(follow_redirects=False)
    seconds = min(CALL_SECONDS, deadline)
    client = AsyncOpenAI(base_url=url, api_key=key or "none", timeout=seconds, max_retries=0, http_client=straight)
    return LanguageModel(client, model, deadline, tokens_a_day)


def _text(content: object) -> str:
    """Return what a model wrote; some servers send it in parts, and nothing keeps them from sending anything else."""
    if isinstance(content, list):
        parts = (each.get("text") for each in content if isinstance(each, Mapping))
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _wait(asked: str | None) -> float:
    try:
        return min(max(float(asked or 1), 0.0), LONGEST_WAIT)
    except ValueError:
        return 1.0


def _messages(reading: Reading) -> list[tuple[int, str, str]]:
    """Return (number, who, text) of each message, without what gives orders to us."""
    found = []
    for turn in reading.thread:
        who = "requester" if turn.turn.by_requester else "staff"
        text = " ".join(s.sentence.text for s in turn.marked if not s.has(Cue.INJECTED))
        if text and (not turn.hostile or turn.turn.number == 1):
            found.append((turn.turn.number, who, text))
    return found


def _gated(answer: prompt.Answer, reading: Reading, written: Written, masker: Masker) -> Written:
    """Return the note, if the gate lets all of it through. Raises NoNote."""
    texts = {number: text for number, _, text in _messages(reading)}
    able, failed = reading.able, {turn.turn.number for turn in reading.thread} - reading.able
    may_cite = {
        Part.PROBLEM: {1: texts[1]} if 1 in texts else {},
        Part.CAUSE: {number: text for number, text in texts.items() if number in able},
        Part.FIX: {number: text for number, text in texts.items() if number in able},
        Part.TRIED: {number: text for number, text in texts.items() if number in failed and number > 1},
    }
    ids = {turn.turn.number: turn.turn.message.id for turn in reading.thread}
    told = {Part.PROBLEM: answer.problem, Part.CAUSE: answer.cause, Part.FIX: answer.fix, Part.TRIED: answer.tried}
    parts = []
    for part, claims in told.items():
        said = [
            Sentence(masker.unmask(" ".join(c.sentence.split())), c.message, ids.get(c.message), place)
            for place, c in enumerate(claims)
        ]
        for sentence in said:
            if why := gate.refused(sentence, may_cite[part]):
                raise NoNote(f"{part} {why}")
        if said:
            parts.append((part, tuple(said)))
    if not answer.fix:
        raise NoNote("it names no fix")
    note = Written(written.outcome, tuple(parts), answer.fix[0].message)
    if note.words > MOST_WORDS:
        raise NoNote("it is too long")
    return note
