"""The demo: a real helpdesk, real work orders, and the whole loop from the first comment to what was learnt from it."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.demo import corpus
from agent.demo.helpdesk import HelpdeskServer
from agent.demo.installation import Installation
from agent.demo.staff import Comment, Staff
from agent.domain import Example, RoleCatalogue, id_of

HISTORY = 150
PATIENCE_SECONDS = 180.0
INTAKE_QUEUE = "WO"
NO_COMMENT = "(no comment)"

_TAG = re.compile(r"\*\*Role: (?:perhaps )?(?P<roles>.+?)(?P<asks>\??)\*\*")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TicketResult:
    """What the helpdesk shows on one ticket, with the role that is right."""

    number: int
    example: Example
    comments: tuple[Comment, ...]

    @property
    def headline(self) -> str:
        """The first line of our comment."""
        return self.comments[0].text.splitlines()[0] if self.comments else NO_COMMENT

    @property
    def role(self) -> str | None:
        """The first role that our comment names."""
        found = _TAG.match(self.headline)
        return re.split(r", | and | or ", found["roles"])[0] if found else None

    @property
    def clear(self) -> bool:
        """Whether it names it without asking."""
        found = _TAG.match(self.headline)
        return found is not None and not found["asks"]

    @property
    def right(self) -> bool:
        """Whether the named role is the true one."""
        return self.role in self.example.roles


@dataclass(frozen=True, slots=True)
class Story:
    """The parts of the demo, and its steps."""

    helpdesk: HelpdeskServer
    installation: Installation
    catalogue: RoleCatalogue
    tech: Staff
    say: Say

    def import_and_train(self, history: Sequence[Example]) -> None:
        """Take in reviewed work orders and train on them, with the commands that an operator would use."""
        file = self.installation.folder / "history.csv"
        write_history(file, history)
        self.say(self.installation.run("import", str(file), "--source", "excavators").strip())
        self.train()

    def train(self) -> None:
        """Train on what is reviewed by now."""
        self.say("training on the latest 150 reviewed tickets ...")
        self.say(self.installation.run("train").strip())

    def file(self, examples: Sequence[Example]) -> list[int]:
        """File tickets through the helpdesk's API and return their numbers."""
        queue = self.helpdesk.queues[INTAKE_QUEUE]
        return [self.tech.file(queue, example.subject, example.text) for example in examples]

    def read_back(self, numbers: Sequence[int], examples: Sequence[Example]) -> list[TicketResult]:
        """Wait until the server is done and read what the helpdesk shows now."""
        self.installation.wait_until_idle(PATIENCE_SECONDS)
        agent = self.helpdesk.user_ids["agent"]
        results = []
        for number, example in zip(numbers, examples, strict=True):
            ours = tuple(c for c in self.tech.comments(number) if c.author == agent)
            results.append(TicketResult(number, example, ours))
        return results

    def handle(self, results: Sequence[TicketResult]) -> None:
        """Do what staff do: correct wrong comments, move each ticket to the queue that handles it, and close it."""
        for result in results:
            truth = result.example.roles[0]
            if not result.right:
                self.tech.reply(result.number, f"/role {truth}")
            role = self.catalogue.lookup(truth)
            slug = role.group("django-helpdesk") if role else None
            self.tech.move(result.number, self.helpdesk.queues[slug or INTAKE_QUEUE])
            self.tech.close(result.number, "Done.")
        self.installation.wait_until_idle(PATIENCE_SECONDS)

    def follow_new_model(self, before: str) -> None:
        """Wait until the running server has taken up the version that was just trained."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (state := self.installation.state()) is None or state["model"] == before:
            if time.monotonic() > deadline:
                return  # the gate kept the old one
            time.sleep(0.2)


def summary(before: Sequence[TicketResult], after: Sequence[TicketResult], seconds: float) -> str:
    """Return the demo's last line."""
    everything = [*before, *after]
    clear = [a for a in everything if a.clear]
    figures = {
        "tickets": str(len(everything)),
        "missing": str(sum(not a.comments for a in everything)),
        "duplicates": str(sum(len(a.comments) > 1 for a in everything)),
        "accuracy_before": share(before),
        "accuracy_after": share(after),
        "coverage": f"{len(clear) / max(len(everything), 1):.2f}",
        "precision": share(clear),
        "seconds": f"{seconds:.0f}",
    }
    return " ".join(f"{name}={value}" for name, value in figures.items())


def share(results: Sequence[TicketResult]) -> str:
    """Return the share of tickets whose suggested role is right."""
    return f"{sum(r.right for r in results) / max(len(results), 1):.2f}"


def work_orders(cache: Path, count: int) -> tuple[list[Example], list[Example], list[Example]]:
    """Return the reviewed history and two rounds of `count` later work orders, in time order."""
    examples = corpus.load(cache)
    rest = examples[HISTORY : HISTORY + 2 * count]
    return examples[:HISTORY], rest[:count], rest[count:]


def write_history(file: Path, history: Sequence[Example]) -> None:
    """Write reviewed tickets as the CSV that `rolecall import` reads."""
    with file.open("w", newline="", encoding="utf-8") as text:
        rows = csv.writer(text)
        rows.writerow(["id", "created_at", "subject", "body", "role"])
        for e in history:
            rows.writerow([id_of(e.ticket_key), e.filed_at.isoformat(), e.subject, e.body, ";".join(e.roles)])
