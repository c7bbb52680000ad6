"""`rolecall demo`: the whole loop on this machine, in a few minutes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from agent.cli.console import Console
from agent.cli.options import CONFIG, ConfigOption, settings_for

if TYPE_CHECKING:
    from agent.demo.helpdesk import HelpdeskServer
    from agent.demo.installation import Installation
    from agent.demo.story import TicketResult


def demo(
    leave: Annotated[bool, typer.Option("--exit", help="Exit when done instead of waiting for Ctrl-C.")] = False,
    tickets: Annotated[int, typer.Option(min=1, max=500, help="Number of tickets in each of the two rounds.")] = 40,
    config: ConfigOption = CONFIG,
) -> None:
    """Run Rolecall on a real django-helpdesk with real work orders of mining excavators.

    Imports 150 tagged work orders, trains, serves, files tickets through the helpdesk's own API, shows the comments as
    read back from it, corrects the wrong ones as staff would, trains again and files more. The first run needs a
    package index that pip can reach; everything else stays on this machine and is deleted at the end.
    """
    from agent.config.roles_file import load_roles
    from agent.config.rules_file import load_rules
    from agent.demo import story
    from agent.demo.helpdesk import HelpdeskServer, default_cache_dir, ensure_environment
    from agent.demo.installation import Installation
    from agent.demo.staff import Staff

    console = Console(highlight=False)
    begun = time.monotonic()

    def say(text: str) -> None:
        console.print(escape(text), style="dim")

    settings = settings_for(config, None)
    catalogue = load_roles(settings.roles)
    load_rules(settings.rules, catalogue)
    say("getting the work orders and the helpdesk ...")
    history, first, second = story.work_orders(default_cache_dir(), tickets)
    python = ensure_environment(progress=lambda line: None)
    with (
        tempfile.TemporaryDirectory(prefix="rolecall-demo-") as folder,
        Installation(Path(folder) / "rolecall", settings.rules, settings.roles) as installation,
        HelpdeskServer(python, Path(folder) / "helpdesk", installation.webhook_url) as helpdesk,
        Staff(helpdesk.url, helpdesk.tokens["tech"]) as tech,
    ):
        # silent_below = 0: where a desk would rather hear nothing, the demo shows the guess
        installation.configure(helpdesk, triage={"silent_below": 0}, work={"poll_seconds": 10})
        cast = story.Story(helpdesk, installation, catalogue, tech, say)
        cast.import_and_train(history)
        installation.start()
        rounds = []
        for number, examples in enumerate((first, second)):
            say(f"filing {len(examples)} tickets at {helpdesk.url} ...")
            results = cast.read_back(cast.file(examples), examples)
            rounds.append(results)
            console.print(_table(results))
            if number == 0:
                say("staff correct the wrong ones, move every ticket to the queue that handles it, and close it ...")
                cast.handle(results)
                model = (installation.state() or {}).get("model", "")
                cast.train()
                cast.follow_new_model(model)
        console.print(f"right before {story.share(rounds[0])}, after {story.share(rounds[1])}")
        seconds = time.monotonic() - begun
        if not leave:
            _wait(console, helpdesk, installation)
    print(story.summary(rounds[0], rounds[1], seconds))


def _table(results: list[TicketResult]) -> Table:
    table = Table("ticket", "what was filed", "what Rolecall's comment says first", "true role", "")
    for a in results:
        mark = "[green]✓[/]" if a.right else "[red]✗[/]"
        table.add_row(str(a.number), escape(a.example.subject), escape(a.headline), escape(a.example.roles[0]), mark)
    return table


def _wait(console: Console, helpdesk: HelpdeskServer, installation: Installation) -> None:
    console.print(f"Look around: {helpdesk.url}/tickets/ (tech / {helpdesk.seed.passwords['tech']})")
    console.print(f"Rolecall: {installation.url}/readyz, its log: {installation.log}. Ctrl-C ends everything.")
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("ending ...")
