"""`rolecall notices`: try whether notices arrive."""

from __future__ import annotations

import asyncio

import typer
from rich.markup import escape

from agent.cli.console import Console
from agent.cli.options import CONFIG, ConfigOption, settings_for

app = typer.Typer(help="Try whether notices of trouble arrive.", no_args_is_help=True)

TITLE = "Rolecall: a test"
BODY = "- This is a test of [notify] urls: notices of trouble arrive here."


@app.callback()
def notices() -> None:
    """Try whether notices of trouble arrive."""


@app.command("test")
def try_them(config: ConfigOption = CONFIG) -> None:
    """Send one message to every address in setting notify.urls, and say of each whether it was taken, or why not."""
    from agent.errors import BadInput
    from agent.notices.sending import deliver, understood

    console = Console(highlight=False, soft_wrap=True)
    urls = [url.get_secret_value() for url in settings_for(config, None).notify.urls]
    if not urls:
        raise BadInput("[notify] urls is empty: set ROLECALL_NOTIFY__URLS, for example to mailto://... or ntfy://...")

    async def send() -> bool:
        good = True
        for number, url in enumerate(urls, 1):
            reason = await deliver(url, TITLE, BODY)
            good &= reason is None
            mark, text = ("[red]FAIL[/]", reason) if reason else ("[green]ok  [/]", "taken")
            console.print(f"{mark} address {number} ({escape(understood(url) or 'unknown')}): {escape(text)}")
        return good

    if not asyncio.run(send()):
        raise typer.Exit(1)
