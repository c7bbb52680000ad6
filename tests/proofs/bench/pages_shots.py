"""Take the screenshots of agent/pages/README.md: an invented desk, a trained model, a real browser.

`make bench NAME=pages_shots` writes them anew; the last line counts them.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from agent.config.settings import Settings
from agent.core import Parts, assemble
from agent.feedback.importing import take_in
from agent.pages.signing import sessions
from agent.pages.signing.rights import Rights
from agent.store.people import User
from agent.store.tables import utcnow
from tests.agent.conftest import quick
from tests.conftest import TICKETS
from tests.desk import Desk
from tests.invented_desk import history, trainer_for
from tests.servers import chromium
from tests.servers.test_pages import DESK, PHONE, Site, listening
from tests.tickets.conversations import load_conversations

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "agent" / "pages" / "shots"
SHOTS = (
    ("today", "/", DESK, "light"),
    ("today-phone", "/", PHONE, "dark"),
    ("review", "/review", DESK, "light"),
    ("review-phone", "/review", PHONE, "light"),
    ("ticket", "/tickets/it-desk/3", DESK, "dark"),
    ("search", "/search?q=network", DESK, "light"),
    ("status", "/status", DESK, "light"),
)
FILED = 14


def installation(folder: Path) -> Parts:
    """Return an installation that has learnt from the invented tickets."""
    files = {"rules": TICKETS / "rules.toml", "roles": TICKETS / "roles.toml"}
    parts = assemble(Settings(data=folder, **files, **quick()))
    parts.database.call(take_in, "it-desk", history(), "tests", parts.classifier.catalogue)
    asyncio.run(trainer_for(parts).train("shots"))
    parts.follow()
    return parts


def reviewer(session: Any) -> str:
    """Add somebody who has signed in, and return the token of the session."""
    session.add(User(key="kim", name="Kim", rights=Rights.OPERATOR, created_at=utcnow()))
    return sessions.begin(session, "kim", utcnow())


async def filed(desk: Desk, site: Site) -> None:
    """File tickets that the model has not seen, each as if it had just come in, and answer a few."""
    import httpx

    texts = [one for one in load_conversations() if len(one.true_roles) != 1] + [*load_conversations()[-FILED:]]
    async with httpx.AsyncClient(base_url=site.url, trust_env=False) as hooks:
        for one in texts[:FILED]:
            event = desk.create(one.subject, one.body, group="Service desk")
            await hooks.post(f"/hooks/{desk.source}/{desk.secret}", json=[(event.kind, event.delivery_id)])
        await site.idle()


async def taken(parts: Parts) -> int:
    """Take them all, and return how many."""
    FOLDER.mkdir(exist_ok=True)
    desk = Desk(source="it-desk")
    desk.now = utcnow  # type: ignore[method-assign]  # tickets of today
    async with listening(parts, desk) as site, chromium.launched(chromium.installed() or "chromium") as browser:
        await filed(desk, site)
        token = parts.database.call(reviewer)
        for name, path, size, scheme in SHOTS:
            context = await browser.new_context(base_url=site.url, viewport=size, color_scheme=scheme)
            await context.add_cookies([{"name": "rolecall", "value": token, "url": site.url}])
            page = await context.new_page()
            await page.goto(path)
            file = FOLDER / f"{name}.png"
            await page.screenshot(path=file)
            await context.close()
            Image.open(file).convert("RGB").quantize(128).save(file, optimize=True)
    return len(SHOTS)


def main(_arguments: Sequence[str] = ()) -> int:
    """Write the screenshots."""
    with tempfile.TemporaryDirectory() as folder:
        count = asyncio.run(taken(installation(Path(folder) / "data")))
    size = sum(file.stat().st_size for file in FOLDER.glob("*.png"))
    print(f"shots={count} kilobytes={size // 1000}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
