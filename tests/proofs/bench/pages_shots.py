"""Take the screenshots of agent/pages/shots/README.md: an invented desk, a trained model, a real browser.

Each page is one picture: on a desk and on a phone, light above and dark below. `make bench NAME=pages_shots` takes them
anew; the last line counts them.
"""

from __future__ import annotations

import asyncio
import io
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.async_api import Browser
from sqlmodel import select

from agent.config.settings import Settings
from agent.core import Parts, assemble
from agent.domain import Strength, Via
from agent.feedback.importing import take_in
from agent.pages.signing import audit, sessions
from agent.pages.signing.rights import Rights
from agent.store.people import User
from agent.store.tables import Decision, Inbox, Review, utcnow
from tests.agent.conftest import quick
from tests.conftest import TICKETS
from tests.desk import Desk
from tests.invented_desk import history, trainer_for
from tests.servers import chromium
from tests.servers.test_pages import DESK, PHONE, PUBLIC, Site, listening
from tests.tickets.conversations import load_conversations

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "agent" / "pages" / "shots"
SHOTS = {
    "today": "/",
    "review": "/review",
    "bulk": "/review/bulk",
    "ticket": "/tickets/it-desk/3",
    "search": "/search?q=network",
    "report": "/report/{week}",
    "confused": "/report/{week}",
    "roles": "/roles",
    "role": "/roles?edit=Network",
    "rules": "/rules",
    "models": "/models",
    "status": "/status",
    "accounts": "/users",
    "account": "/account",
    "log": "/log",
    "link": "{link}",
    "sign-in": "/sign-in",
}
"""Pages by the names of their pictures."""

FURTHER_DOWN = {"confused": "svg.chart:has(rect[fill-opacity])", "models": "svg.chart"}
"""What a picture shows that is not on the first screen of a page."""

FILED, CLOSED = 24, 14
SHARE, GAP, QUALITY = 0.6, 6, 55
"""Of the size in the browser; pixels between the four looks; of the compression."""


def installation(folder: Path) -> Parts:
    """Return an installation that has learnt from the invented tickets, in two trainings."""
    files = {"rules": TICKETS / "rules.toml", "roles": TICKETS / "roles.toml"}
    parts = assemble(Settings(data=folder, **files, **quick(), server={"public_url": PUBLIC}))
    for known in (history()[::2], history()):
        parts.database.call(take_in, "it-desk", known, "tests", parts.classifier.catalogue)
        asyncio.run(trainer_for(parts).train("shots"))
    parts.follow()
    return parts


def closed(session: Any) -> None:
    """Store that the last tickets were closed as had been suggested, every third of them in another role."""
    for number in range(FILED - CLOSED, FILED + 1):
        suggested = session.exec(select(Decision).where(Decision.ticket_key == f"it-desk:{number}")).first()
        roles = ["Locksmith & Security"] if number % 3 == 0 or not suggested.roles else suggested.roles[:1]
        session.add(
            Review(ticket_key=f"it-desk:{number}", roles=roles, strength=Strength.CLOSED, via=Via.CLOSURE,
                   origin=f"c{number}", at=utcnow())
        )  # fmt: skip


def people(session: Any) -> str:
    """Add an operator and somebody who sees one group; set an event aside; return the token of the operator."""
    now = utcnow()
    session.add(User(key="kim", name="Kim", rights=Rights.OPERATOR, created_at=now, password="x"))
    session.add(User(key="robin", name="Robin", rights=Rights.REVIEWER, created_at=now, groups=["Service desk"]))
    session.add(
        Inbox(source="it-desk", delivery_id="x", kind="closed", ticket_key="it-desk:2", content_hash="x",
              received_at=now, due_at=now, event="", raw=b"", state="dead", attempts=9,
              error="the helpdesk refused the comment (403)", done_at=now)
    )  # fmt: skip
    audit.note(session, "Kim", audit.Action.PAUSED, now, reason="the helpdesk moves to another server")
    audit.note(session, "Kim", audit.Action.RESUMED, now)
    audit.note(session, "Kim", audit.Action.LIMITED, now, user="Robin", helpdesks=[], groups=["Service desk"])
    for number, role in ((4, "Network"), (5, "Network"), (6, "Plumbing & HVAC")):
        audit.note(session, "Kim", audit.Action.FEEDBACK, now, f"it-desk:{number}", roles=[role])
        session.add(
            Review(ticket_key=f"it-desk:{number}", roles=[role], strength=Strength.CORRECTED, via=Via.PAGE,
                   origin=f"p{number}", actor="Kim", at=now)
        )  # fmt: skip
    return sessions.begin(session, "kim", now)


async def filed(desk: Desk, site: Site) -> None:
    """File tickets that the model has not seen, each as if it had just come in; some were closed since."""
    texts = [one for one in load_conversations() if len(one.true_roles) != 1] + [*load_conversations()[-FILED:]]
    async with httpx.AsyncClient(base_url=site.url, trust_env=False) as hooks:

        async def told(event: Any) -> None:
            await hooks.post(f"/hooks/{desk.source}/{desk.secret}", json=[(event.kind, event.delivery_id)])

        for one in texts[:FILED]:
            await told(desk.create(one.subject, one.body, group="Service desk"))
        await site.idle()


async def taken(parts: Parts) -> int:
    """Take them all, and return how many."""
    FOLDER.mkdir(exist_ok=True)
    desk = Desk(source="it-desk")
    desk.now = utcnow  # type: ignore[method-assign]  # tickets of today
    async with listening(parts, desk) as site, chromium.launched(chromium.installed() or "chromium") as browser:
        await filed(desk, site)
        parts.database.call(closed)
        token = parts.database.call(people)
        link = re.findall(rf"{PUBLIC}(/l/[^)]+)", desk.comments("3")[0].text)[0]
        for name, path in SHOTS.items():
            where = path.format(week=f"{utcnow().astimezone():%G-W%V}", link=link)
            signed_in = token if name not in ("link", "sign-in") else None
            looks = [
                await look(browser, site, where, signed_in, size, scheme, FURTHER_DOWN.get(name))
                for scheme in ("light", "dark")
                for size in (DESK, PHONE)
            ]
            together(looks).save(FOLDER / f"{name}.webp", quality=QUALITY, method=6)
    return len(SHOTS)


async def look(
    browser: Browser, site: Site, path: str, token: str | None, size: dict[str, int], scheme: str, shown: str | None
) -> Image.Image:
    """Return what a page looks like."""
    context = await browser.new_context(
        base_url=site.url, viewport=size | {"height": DESK["height"]}, color_scheme=scheme
    )
    if token is not None:
        await context.add_cookies([{"name": "rolecall", "value": token, "url": site.url}])
    page = await context.new_page()
    answer = await page.goto(path)
    assert answer is not None
    assert answer.status == 200, path
    if shown is not None:
        await page.locator(shown).first.scroll_into_view_if_needed()
    picture = Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
    await context.close()
    return picture.resize((round(size["width"] * SHARE), round(DESK["height"] * SHARE)), Image.Resampling.LANCZOS)


def together(looks: Sequence[Image.Image]) -> Image.Image:
    """Return four looks as one picture."""
    wide, narrow, height = looks[0].width, looks[1].width, looks[0].height
    whole = Image.new("RGB", (wide + GAP + narrow, 2 * height + GAP), "grey")
    for number, one in enumerate(looks):
        whole.paste(one, ((number % 2) * (wide + GAP), (number // 2) * (height + GAP)))
    return whole


def main(_arguments: Sequence[str] = ()) -> int:
    """Write the screenshots."""
    with tempfile.TemporaryDirectory() as folder:
        count = asyncio.run(taken(installation(Path(folder) / "data")))
    size = sum(file.stat().st_size for file in FOLDER.glob("*.webp"))
    print(f"shots={count} kilobytes={size // 1000}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
