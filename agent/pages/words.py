"""How roles, percents and times are written on all pages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from urllib.parse import quote

from markupsafe import Markup, escape

from agent.domain import RoleCatalogue, id_of, source_of
from agent.notes.phrasing import bound, percent
from agent.pages.recorded import recorded
from agent.pages.texts import Texts
from agent.store.tables import Review, Ticket
from agent.text.beginning import beginning
from connectors.note import Paragraph, Style

HUES = 8
MOST_NEEDED = 8
"""Roles that are named as those that lack known tickets."""

BEGIN = 160
"""Characters of a ticket's text in a list."""

METER = 72.0
"""Width of a meter."""

_NUMBER = re.compile(r"(?:\w{1,10}-)?\d+|[0-9a-f:-]{16,}", re.ASCII)
_STYLED = {Style.STRONG: Markup("<strong>{}</strong>"), Style.CODE: Markup("<code>{}</code>")}


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one installation; times are local."""

    texts: Texts
    catalogue: RoleCatalogue
    now: Callable[[], datetime]

    def role(self, name: str, ring: bool = False) -> Markup:
        """Return a role's name behind a dot in its hue, or a ring where it is only one of two."""
        return Markup('<span class="role h{}{}">{}</span>').format(self.hue(name), " ring" if ring else "", name)

    def roles(self, names: tuple[str, ...] | list[str]) -> Markup:
        """Return several roles; none of ours where there are none."""
        if not names:
            return Markup('<span class="role h7">{}</span>').format(self.texts("feedback.none_of_ours"))
        between = Markup(" {} ").format(self.texts("list.and"))
        return between.join(self.role(name) for name in names)

    def needed(self, more: Mapping[str, int]) -> Markup:
        """Return the roles of today that so many more known tickets would help, the first few; empty for none."""
        some = [(role, count) for role, count in more.items() if role in self.catalogue.names][:MOST_NEEDED]
        return Markup(", ").join(self.texts("needed.more", role=self.role(role), count=count) for role, count in some)

    def hue(self, name: str) -> int:
        """Return the number of a role's hue: by its place among the roles; of a role that is gone, by its name."""
        names = self.catalogue.names
        if name in names:
            return names.index(name) % HUES
        return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[0] % HUES

    def ticket(self, key: str) -> str:
        """Return the address of a ticket's page."""
        return f"/tickets/{quote(source_of(key), safe='')}/{quote(id_of(key), safe='/')}"

    def name(self, key: str) -> Markup:
        """Return a ticket's helpdesk and number, as people say it."""
        return Markup("<bdi>{} {}</bdi>").format(source_of(key), id_of(key))

    def begin(self, ticket: Ticket) -> str:
        """Return how a ticket's own words begin."""
        return beginning(ticket.subject, ticket.body, BEGIN)

    def others(self, words: str) -> Markup:
        """Return a name or words of somebody else, written in whatever direction, for the middle of a sentence."""
        return Markup("<bdi>{}</bdi>").format(words)

    def person(self, review: Review) -> Markup:
        """Return who gave an answer: their name, or that it was an account, where the system tells a number alone."""
        if review.actor_name or not review.actor:
            return self.others(review.actor_name) if review.actor_name else self.texts("history.somebody")
        actor = review.actor
        return self.texts("history.account", account=actor) if _NUMBER.fullmatch(actor) else self.others(actor)

    def percent(self, share: float) -> str:
        """Return a confidence in percent, as in comments."""
        return percent(share)

    def share(self, part: float) -> str:
        """Return a share of what was counted in percent; unlike a confidence, it may be all or nothing."""
        return bound(f"{part * 100:.0f} %", self.texts.language)

    def meter(self, share: float, needs: float | None = None, clear: bool = False) -> Markup:
        """Return a confidence as a bar, with a tick at the threshold; it says nothing that is not written beside it."""
        tick = Markup("")
        if needs is not None:
            tick = Markup('<rect class="tick" x="{:.1f}" width="2" height="10"/>').format(min(needs, 1.0) * METER - 1)
        return Markup(
            '<svg class="meter{}" viewBox="0 0 72 10" width="72" height="10" aria-hidden="true">'
            '<rect class="track" y="3"'
            ' width="72" height="4" rx="2"/><rect class="fill" y="3" width="{:.1f}" height="4" rx="2"/>{}</svg>'
        ).format(" clear" if clear else "", max(min(share, 1.0), 0.0) * METER, tick)

    def time(self, moment: datetime) -> Markup:
        """Return a time of today by the clock, another one with its day."""
        local, today = moment.astimezone(), self.now().astimezone().date()
        shown = local.strftime("%H:%M") if local.date() == today else f"{self.day(moment)} {local:%H:%M}"
        return Markup('<time datetime="{}">{}</time>').format(local.isoformat(timespec="seconds"), shown)

    def day(self, moment: datetime) -> str:
        """Return the day of a time, with the year unless it is this one."""
        local = moment.astimezone()
        month = str(self.texts("months")).split()[local.month - 1]
        number = self.texts("first_day") if local.day == 1 else local.day
        day = self.texts("day", day=number, month=month)
        same = local.year == self.now().astimezone().year
        return str(day if same else self.texts("day_of_year", day=day, year=str(local.year)))

    def today(self) -> str:
        """Return today, with the day of the week."""
        now = self.now()
        weekday = str(self.texts("weekdays")).split()[now.astimezone().weekday()]
        return str(self.texts("dated", weekday=weekday, day=self.day(now)))

    def ago(self, moment: datetime) -> Markup:
        """Return for how long something has lasted, in its largest unit."""
        return self.span(max((self.now() - moment).total_seconds(), 0.0))

    def span(self, seconds: float) -> Markup:
        """Return so many seconds in their largest unit."""
        for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
            if seconds >= size:
                return self.texts.number(f"span.{unit}", int(seconds // size))
        return self.texts.number("span.seconds", int(seconds))

    def size(self, count: float) -> str:
        """Return a number of bytes in its largest unit."""
        units, power = str(self.texts("bytes")).split(), 0
        while count >= 1_000 and power < len(units) - 1:
            count, power = count / 1_000, power + 1
        return f"{self.texts.figure(count, '.0f' if count >= 10 or power == 0 else '.1f')} {units[power]}"

    def recorded(self, said: str | None) -> Markup:
        """Return a sentence of ours from the database in the language of the pages; others as they are."""
        return recorded(self.texts, said or "")

    def note(self, paragraphs: Sequence[Paragraph]) -> Markup:
        """Return paragraphs of our comment; its strong words and code spans, and no more, look as they do there."""
        return Markup("").join(Markup("<p>{}</p>").format(_styled(paragraph)) for paragraph in paragraphs)

    def lines(self, text: str) -> Markup:
        """Return a text with its paragraphs and ends of lines."""
        paragraphs = [part.strip("\n") for part in text.replace("\r\n", "\n").split("\n\n")]
        shown = [Markup("<p>{}</p>").format(_broken(part)) for part in paragraphs if part.strip()]
        return Markup("").join(shown)


def _styled(paragraph: Paragraph) -> Markup:
    runs = ((style, "".join(span.text for span in spans)) for style, spans in groupby(paragraph, lambda s: s.style))
    return Markup("").join(_STYLED.get(style, Markup("{}")).format(text) for style, text in runs)


def _broken(paragraph: str) -> Markup:
    return Markup("<br>").join(escape(line) for line in paragraph.split("\n"))
