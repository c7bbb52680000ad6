"""The questions of `rolecall init`, asked unless an option or an earlier run has answered them already."""

from __future__ import annotations

import os
import secrets as random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import typer
from rich.markup import escape

from agent.cli.console import Console

if TYPE_CHECKING:
    from agent.first_day.connection import Answers
    from agent.first_day.files import Folder
    from agent.first_day.survey import Survey, Told

STAFF_ENOUGH = 2
"""Messages that only staff can write, from which on an account is proposed as staff."""


@dataclass(slots=True)
class Asker:
    """Asks, and counts how often. With `silent` what has no answer yet takes its default, or is an error."""

    silent: bool = False
    asked: int = 0

    @property
    def alone(self) -> bool:
        """Whether nobody can be asked."""
        return self.silent or not sys.stdin.isatty()

    def text(
        self,
        question: str,
        option: str,
        default: str | None = None,
        *,
        hidden: bool = False,
        right: Callable[[str], object] = str,
    ) -> str:
        """Return an answer; one for which `right` raises ValueError is asked for again, with what it says.

        Raises BadInput, naming the option, where nobody can be asked and there is no default.
        """
        from agent.errors import BadInput

        if self.alone:
            if default is None:
                raise BadInput(f"{question}: nobody can be asked here, so give {option}")
            return default
        self.asked += 1
        while True:
            answer = str(
                typer.prompt(question, default=default, hide_input=hidden, show_default=bool(default), err=True)
            ).strip()
            try:
                right(answer)
            except ValueError as error:
                say(f"  {answer!r} {error}")
            except BadInput as error:
                say(f"  {error}")
            else:
                return answer

    def yes(self, question: str, *, default: bool = True) -> bool:
        """Return whether the answer is yes."""
        if self.alone:
            return default
        self.asked += 1
        return typer.confirm(question, default=default, err=True)


def connection(
    asker: Asker,
    folder: Folder,
    config: Path,
    kind: str | None,
    name: str | None,
    url: str | None,
    given: dict[str, str],
    public_url: str | None,
) -> Answers:
    """Ask which system it is, where, and how it is entered; what an earlier run has set is not asked again."""
    from agent.config.loading import LONGEST_NAME, is_name, read_given
    from agent.config.manifests import FOLDER, beside
    from agent.config.setting_tree import from_text
    from agent.errors import BadInput
    from agent.first_day.connection import Answers, needs_of
    from connectors.http import base_url

    given_there = read_given(config if config.is_file() else None, dotenv_file=folder.dotenv)
    there = {**given_there.local[1].values, **given_there.local[0].values}
    tables, server = tables_of(config)
    if kind is None and name in tables:
        kind = str(tables[name or ""].get("kind", name))
    kind = kind or asker.text("Which system? (`rolecall connectors show` lists them)", "--kind", "django-helpdesk")
    needs, name = needs_of(kind, beside(config, FOLDER)), name or kind
    if not is_name(name):
        raise BadInput(f"--name {name}: up to {LONGEST_NAME} of a-z, 0-9 and single -, a letter first")
    before = {key: value for key, value in tables.get(name, {}).items() if key != "kind"}
    place = url or before.get("url") or asker.text("Its address", "--url", right=base_url)
    chosen = {key: from_text(value) for key, value in given.items()}
    answers = Answers(needs, name, {**before, "url": place, **chosen}, {}, "", "")
    for wanted, says in needs.settings.items():
        if wanted not in answers.given:
            answers.given[wanted] = asker.text(f"{wanted}: {says}", f"--set {wanted}=...")
    known = {secret: there.get(answers.variable(secret)) for secret in needs.secrets}
    if not asker.alone and not all(known.values()):
        say(f"\nIn {kind}:\n{needs.before_the_hook}")
        answers.told = True
    for secret, there_already in known.items():
        variable = f"variable {answers.variable(secret)}"
        answers.secrets[secret] = there_already or asker.text(
            f"{secret} (not shown as you type)", variable, hidden=True
        )
    kept = there.get(answers.variable("webhook_secrets")) or ""
    answers.hook_secret = kept.strip('[]"') if kept and "change-me" not in kept else random.token_hex(24)
    if needs.hook is not None:
        here = str(server.get("public_url") or "http://127.0.0.1:8080")
        answers.public_url = public_url or asker.text(
            "Where does it reach Rolecall, for its webhooks?", "--public-url", here, right=base_url
        )
    return answers


def language_of(asker: Asker, chosen: str | None) -> str:
    """Ask for the language of comments and pages; this terminal's is proposed. Raises BadInput for an unknown one."""
    from agent.config.settings import Settings
    from agent.errors import BadInput

    known = get_args(Settings.model_fields["language"].annotation)

    def right(said: str) -> None:
        if said not in known:
            raise BadInput(f"--language {said}: can be {', '.join(known)}")

    here = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")[:2]
    proposed = here if here in known else str(Settings.model_fields["language"].default)
    question = f"Language of comments and pages ({', '.join(known)})"
    said = chosen if chosen is not None else asker.text(question, "--language", proposed, right=right)
    right(said)
    return said


def tables_of(config: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the tables of connectors in a settings file, and that of the server."""
    from agent.config.toml_file import read
    from agent.errors import SettingsError

    document = read(config, SettingsError, "--config").document if config.is_file() else {}
    connectors, server = document.get("connectors", {}), document.get("server", {})
    return (connectors if isinstance(connectors, dict) else {}), (server if isinstance(server, dict) else {})


def name_groups(asker: Asker, answers: Answers, found: Survey, told: Told, named: Mapping[str, str]) -> None:
    """Ask once for the names of groups that the system only numbers."""
    from agent.first_day.connection import UNNAMED

    if not answers.needs.numbered:
        return
    names = {UNNAMED.format(number): slug for number, slug in named.items()}
    open_ = [group for group in sorted(found.groups) if group in set(found.groups) - {""} - names.keys()]
    numbers = [group.removeprefix(UNNAMED.format("")) for group in open_ if group.startswith(UNNAMED.format(""))]
    for group, number in zip(open_, numbers, strict=False):
        example = next((ticket.subject for ticket in found.tickets if ticket.group == group), "")
        say(f"  queue {number}: {found.groups[group]} closed tickets, such as {example[:60]!r}")
    if numbers:
        say("  Their slugs stand in their tickets' numbers, such as net in [net-17].")

        def as_many(said: str) -> None:
            if said and len(said.split(",")) != len(numbers):
                raise ValueError(f"names {len(said.split(','))} of {len(numbers)} queues")

        question = f"Slugs of the queues {', '.join(numbers)}, in this order"
        said = asker.text(question, "--group 2=SLUG", "", right=as_many)
        slugs = [slug.strip() for slug in said.split(",")] if said else []
        names |= {UNNAMED.format(n): slug for n, slug in zip(numbers, slugs, strict=False) if slug}
    queues = {old.removeprefix(UNNAMED.format("")): new for old, new in names.items()}
    unnamed = {UNNAMED.format(n): f"queue-{n}" for n in numbers if n not in queues}
    answers.given["queues"] = {
        **answers.given.get("queues", {}),
        **queues,
        **{old.removeprefix(UNNAMED.format("")): new for old, new in unnamed.items()},
    }
    found.rename(names | unnamed)
    told.rename(names | unnamed)


def roles_of(asker: Asker, found: Survey, named: Mapping[str, str], since: datetime) -> dict[str, str]:
    """Return the names that people give to roles, by group; ask for them where no closed ticket tells of a group.

    Raises BadInput where nobody can be asked then.
    """
    from agent.errors import BadInput

    if named or any(found.groups):
        return dict(named)
    if found.listed:
        say(f"No ticket was closed since {since:%Y-%m-%d}, so nothing tells of your roles (earlier ones: --since DAY).")
    else:
        say("So nothing tells of your roles.")
    question = "Each group of the system with the name of its role, as net=Network, hr=People"
    wanted = "--since DAY or --role GROUP=ROLE" if found.listed else "--role GROUP=ROLE"
    said = asker.text(question, wanted, right=lambda said: pairs(said.split(",")))
    if not (given := pairs(said.split(","))):
        raise BadInput("no role: nothing was written")
    return given


def staff_of(asker: Asker, answers: Answers, found: Survey, chosen: str | None) -> dict[str, Any]:
    """Ask whose commands count, where the history shows accounts that can only be staff's, or nobody is known yet."""
    known = answers.given.get("staff")
    seen = [account for account, count in found.staff.most_common() if count >= STAFF_ENOUGH]
    if chosen is None and (known or not (seen or found.accounts)):
        return {}
    told = "they wrote what only staff can write, or had tickets" if seen else "the history shows none; empty: later"
    question = f"Accounts whose commands count ({told})"
    said = chosen if chosen is not None else asker.text(question, "--staff", ", ".join(seen))
    accounts = [account.strip() for account in said.split(",") if account.strip()]
    return {"staff": accounts} if accounts else {}


def pairs(given: Sequence[str] | None) -> dict[str, str]:
    """Return options of the form key=value. Raises BadInput for another form."""
    return dict(_pair(each) for each in given or ())


def _pair(text: str) -> tuple[str, str]:
    from agent.errors import BadInput

    key, sign, value = text.partition("=")
    if not sign or not key.strip() or not value.strip():
        raise BadInput(f"{text!r}: write it as KEY=VALUE")
    return key.strip(), value.strip()


def say(text: str) -> None:
    """Print lines, in which words of strangers do nothing."""
    console = Console(highlight=False, soft_wrap=True)
    for line in text.splitlines():
        console.print(escape(line))
