"""`rolecall mcp`: tools for an assistant that speaks the Model Context Protocol."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for


def mcp(
    url: Annotated[
        str | None, typer.Option(help="Address of the server.", show_default="the one on this machine")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="API_TOKEN", help="A token of `rolecall users token`; better as API_TOKEN.")
    ] = None,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Offer an assistant tools: explain tickets, suggest roles, record reviews, find similar solved tickets.

    The assistant starts it, and speaks with it over standard input and output. It acts for the account of the token,
    with its rights; what it records stands in the log as that account's.
    """
    from agent.data_directory import DataDirectory
    from agent.errors import BadInput
    from agent.packages import require
    from agent.web.running import local_url

    require("mcp")
    if not token:
        raise BadInput("set the variable API_TOKEN to a token of an account: `rolecall users token NAME` makes one")
    if url is None:
        settings = settings_for(config, data)
        url = DataDirectory(settings.data).served_at() or local_url(settings.server.host, settings.server.port)
    from agent.programs.mcp_server import client_of, server

    server(client_of(url, token)).run("stdio")
