"""The week in numbers as a document: titles, sentences, tables and charts, which pages, text and Markdown show alike.

Titles of charts are chosen from the data: none says more than is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from markupsafe import Markup, escape

from agent.domain import Outcome
from agent.notes.phrasing import bound
from agent.pages import charts
from agent.pages.document import Document, Night, Part, Table, Tile
from agent.pages.texts import Texts
from agent.pages.week_confused import confused, to
from agent.pages.words import Words
from agent.report.cases import Case
from agent.report.week import FEWEST, Figures, Share, Week, calibration, corrections, figures, right_when_clear

WEEKS = 8
"""Weeks of the charts."""

SOME = 10
"""Tickets of a role in a week below which none of them being clear means nothing."""

OFTEN = 3
OUTCOMES = (Outcome.CLEAR, Outcome.EITHER_OR, Outcome.NONE)


def document(
    week: Week,
    found: Sequence[Case],
    nights: Sequence[Night],
    words: Words,
    target: float,
    persons: bool = False,
    needed: Mapping[str, int] = {},
) -> Document:
    """Return the document of a week from its tickets and those before it. `needed`: known tickets that roles lack."""
    texts = words.texts
    by_week: dict[Week, list[Case]] = {}
    for case in found:
        by_week.setdefault(Week.containing(case.filed_at.astimezone().date()), []).append(case)
    latest = [week.shifted(-back) for back in range(WEEKS - 1, -1, -1)]
    weeks = [figures(one, by_week.get(one, ())) for one in latest]
    found = [case for one in latest for case in by_week.get(one, ())]
    now, before = weeks[-1], weeks[-2]
    lacking = (texts("report.next_needed", roles=roles),) if (roles := words.needed(needed)) else ()
    parts = [
        Part(
            texts("report.next"),
            points=(*_next(now, weeks, found, words, target), *lacking) or (texts("report.nothing"),),
        ),
        _precision(weeks, found, texts, words, target),
        _outcomes(weeks, texts, words),
        _by_role(weeks, found, texts, words),
        _why_none(now, texts),
        confused(found, words, WEEKS),
        _confidence(found, texts),
        _where(now, texts, persons),
        _nights(nights, texts, words),
    ]
    return Document(
        week,
        texts("report.title", number=week.number),
        f"{words.day(week.begin)} – {words.day(week.end - timedelta(days=1))}",
        _lede(now, texts),
        tuple(_tiles(now, before, texts, words)),
        tuple(part for part in parts if part.points or (part.table and part.table.rows)),
        str(texts("list.colon")),
    )


def _lede(now: Figures, texts: Texts) -> Markup:
    if not now.received:
        return texts("report.lede_none")
    if not now.outcomes[Outcome.CLEAR]:
        return texts.number("report.lede_unclear", now.received)
    clear, received = texts.figure(now.outcomes[Outcome.CLEAR]), texts.figure(now.received)
    given = {"clear": clear, "received": received, "count": now.right.count}
    if not now.right.enough:
        return texts("report.lede_few", **given, fewest=FEWEST)
    return texts("report.lede", **given, right=now.right.right)


def _tiles(now: Figures, before: Figures, texts: Texts, words: Words) -> Iterator[Tile]:
    more = now.received - before.received
    beside = "more" if more > 0 else "less" if more < 0 else "same"
    yield Tile(
        texts("report.received"), texts.figure(now.received), texts(f"report.{beside}", count=texts.figure(abs(more)))
    )
    clear, either, none = (now.outcomes[outcome] for outcome in OUTCOMES)
    share = words.share(clear / now.received) if now.received else "–"
    told = {"clear": texts.figure(clear), "either": texts.figure(either), "none": texts.figure(none)}
    yield Tile(texts("filter.clear"), escape(share), texts("report.clear_what", **told))
    yield Tile(texts("report.right"), _right(now.right, words), _interval(now.right, texts))
    yield Tile(texts("report.checks"), texts.figure(now.checked), texts("report.checks_what", drawn=now.drawn))
    said = texts("report.corrected_what", count=texts.figure(now.feedback))
    yield Tile(texts("filter.corrected"), texts.figure(now.corrected), said)
    if now.hours or now.moved:
        taken = now.hours.get(True), now.hours.get(False)
        shown = [words.span(one[0] * 3_600) if one else Markup("–") for one in taken]
        beside_it = texts("report.time_what", other=shown[1], clear=now.moved[True], others=now.moved[False])
        yield Tile(texts("report.time"), shown[0], beside_it)


def _next(
    now: Figures, weeks: Sequence[Figures], found: Sequence[Case], words: Words, target: float
) -> Iterator[Markup]:
    texts = words.texts
    waiting = sum(week.drawn - week.checked for week in weeks[-4:])
    lately = right_when_clear(found)
    if waiting and not (now.right.enough and lately.enough):
        yield texts.number("report.next_checks", waiting)
    if lately.enough and lately.interval[1] < target:
        asked = {"right": lately.right, "count": lately.count, "target": words.share(target)}
        yield texts("report.next_precision", **asked)
    for (wrong, right), count in corrections(found).most_common(1):
        if count >= OFTEN:
            yield texts("report.next_pair", wrong=words.role(wrong), right=to(right, words), count=count)
    for role, count in now.roles.most_common():
        if count >= SOME and not now.clear_roles[role]:
            yield texts("report.next_role", role=words.role(role), count=count)
    if now.reasons["untaught"] >= SOME:
        yield texts("report.next_untaught", count=now.reasons["untaught"])


def _precision(weeks: Sequence[Figures], found: Sequence[Case], texts: Texts, words: Words, target: float) -> Part:
    points, rows, colon = [], [], texts("list.colon")
    for one in weeks:
        low, high = one.right.interval
        shown = one.right.share if one.right.enough else None
        row = (_name(one.week, texts), _right(one.right, words), _interval(one.right, texts))
        said = Markup("{}{}{}, {}").format(row[0], colon, *row[1:]).striptags()
        points.append(charts.Point(f"{one.week.number}", said, shown, low, high))
        rows.append(row)
    lately = right_when_clear(found)
    key = "precision" if lately.enough else "precision_few"
    title = texts(f"report.{key}", share=_right(lately, words), count=lately.count)
    head = tuple(texts(f"report.{name}") for name in ("week", "right", "basis"))
    chart = charts.intervals(points, str(texts("report.precision_chart")), goal=target)
    what = texts("report.precision_what", target=words.share(target), fewest=FEWEST)
    return Part(title, (what,), table=Table(head, tuple(rows)), chart=chart)


def _outcomes(weeks: Sequence[Figures], texts: Texts, words: Words) -> Part:
    columns, rows, colon = [], [], texts("list.colon")
    for one in weeks:
        counts = tuple(one.outcomes[outcome] for outcome in OUTCOMES)
        given = dict(zip(("clear", "either", "none"), counts, strict=True))
        said = Markup("").join([_name(one.week, texts), colon, texts("report.outcomes_of", **given)]).striptags()
        columns.append(charts.Column(f"{one.week.number}", said, counts))
        rows.append((_name(one.week, texts), *map(texts.figure, counts)))
    shares = [words.share(w.outcomes[Outcome.CLEAR] / w.received) if w.received else "–" for w in weeks[-2:]]
    title = texts("report.outcomes", before=shares[0], now=shares[1])
    head = (texts("report.week"), *(texts(f"filter.{outcome}") for outcome in OUTCOMES))
    legend = Markup('<span class="k1">{}</span><span class="k2">{}</span><span class="k3">{}</span>').format(*head[1:])
    chart = charts.stacks(columns, str(texts("report.outcomes_chart")), texts.figure)
    return Part(title, (legend,), table=Table(head, tuple(rows)), chart=chart)


def _by_role(weeks: Sequence[Figures], found: Sequence[Case], texts: Texts, words: Words) -> Part:
    now = weeks[-1]
    shares = {
        role: [week.roles[role] / week.received if week.received else 0.0 for week in weeks] for role in now.roles
    }
    highest = max((share for each in shares.values() for share in each), default=1.0)
    rows = []
    for role, count in now.roles.most_common():
        percents = [words.share(share) for share in shares[role]]
        line = charts.spark(shares[role], highest, str(texts("report.shares", shares=", ".join(percents))))
        right = right_when_clear(found, role)
        change = Markup("{}{} → {}").format(line, percents[0], percents[-1])
        clear, wrong = texts.figure(now.clear_roles[role]), texts.figure(now.corrected_roles[role])
        rows.append((words.role(role), texts.figure(count), change, clear, _with_interval(right, texts, words), wrong))
    names = ("ticket_role", "received", "share", "clear", "right", "corrected")
    head = tuple(texts(f"report.column_{name}", weeks=WEEKS) for name in names)
    return Part(texts("report.by_role"), (texts("report.by_role_what"),), table=Table(head, tuple(rows)))


def _why_none(now: Figures, texts: Texts) -> Part:
    either, none = now.outcomes[Outcome.EITHER_OR], now.outcomes[Outcome.NONE]
    rows = [(texts("report.below"), texts.figure(either))] if either else []
    for reason, count in now.reasons.most_common():
        key = f"report_reason.{reason}"
        rows.append((texts(key if texts.has(key) else "report_reason.other"), texts.figure(count)))
    head = (texts("report.reason"), texts("report.tickets"))
    return Part(texts("report.not_clear", count=either + none), table=Table(head, tuple(rows)))


def _confidence(found: Sequence[Case], texts: Texts) -> Part:
    bins = dict(calibration(found))
    points, rows, colon = [], [], texts("list.colon")
    for place in range(10):
        begin, share = place / 10, bins.get(place / 10, Share())
        name = f"{place * 10}–{place * 10 + 10}"
        percents = escape(bound(f"{name} %", texts.language))
        said = Markup("{}{}{}").format(percents, colon, texts("report.of", right=share.right, count=share.count))
        low, high = share.interval
        points.append(charts.Point(name, said.striptags(), share.share if share.count else None, low, high))
        if begin in bins:
            rows.append((percents, texts("report.of", right=share.right, count=share.count)))
    head = (texts("column.confidence"), texts("report.right_of_all"))
    chart = charts.intervals(points, str(texts("report.confidence_chart")), diagonal=True)
    title = texts("report.confidence", weeks=WEEKS)
    table = Table(head, tuple(rows))
    return Part(title, (texts("report.confidence_what"),), table=table, chart=chart) if rows else Part(title)


def _where(now: Figures, texts: Texts, persons: bool) -> Part:
    told = [*now.sources.most_common(), *(now.persons.most_common() if persons else ())]
    rows = [(Markup("<bdi>{}</bdi>").format(name), texts.figure(count)) for name, count in told]
    head = (texts("report.person" if persons else "report.helpdesk"), texts("filter.corrected"))
    return Part(texts("report.where"), table=Table(head, tuple(rows)))


def _nights(nights: Sequence[Night], texts: Texts, words: Words) -> Part:
    said = [
        Markup("{} <b>{}</b> {}").format(
            words.time(night.at), texts(f"training.{night.outcome}"), words.recorded(night.reason)
        )
        for night in nights
    ]
    return Part(texts("report.nights"), points=tuple(said))


def _name(week: Week, texts: Texts) -> Markup:
    return texts("report.title", number=week.number)


def _right(share: Share, words: Words) -> Markup:
    return escape(words.share(share.share)) if share.enough else words.texts("report.too_few")


def _interval(share: Share, texts: Texts) -> Markup:
    low, high = (f"{end * 100:.0f}" for end in share.interval)
    given = {"right": share.right, "count": share.count}
    return texts("report.between", low=low, high=high, **given) if share.enough else texts("report.of", **given)


def _with_interval(share: Share, texts: Texts, words: Words) -> Markup:
    return Markup("<b>{}</b> <small>{}</small>").format(_right(share, words), _interval(share, texts))
