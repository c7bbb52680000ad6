"""`rolecall clean`: list reviewed tickets whose role looks wrong."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.cli import layout
from agent.cli.console import foretold
from agent.cli.encoder import encoder_of
from agent.cli.options import CONFIG, ConfigOption, DataOption, parts_for
from agent.packages import require


def clean(
    share: Annotated[float, typer.Option(min=0.01, max=1, help="List at most this share of the tickets.")] = 0.15,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """List reviewed tickets whose role looks wrong, the most suspicious first, with the reason. Changes nothing.

    Before the first training rules and similar tickets judge; a model sees more.

    Correct a wrong role where it was given: reply to the ticket with `/role NAME`, or import the right role.
    """
    require("cleanlab", "scipy", "sklearn")

    from agent.errors import NotPossibleYet
    from agent.learning.contest import contest
    from agent.learning.training_set import group_duplicates
    from agent.serving.registry import Registry
    from agent.store.run_times import Work
    from agent.studies.cleaning import suspicious
    from agent.triage.fusion import Fusion

    parts = parts_for(config, data)
    registry = Registry(parts.directory.models, parts.directory.encoders)
    trial = contest(parts.database, registry, parts.classifier.rules, parts.classifier.catalogue)
    if not trial.examples:
        raise NotPossibleYet("there is no reviewed ticket yet: `rolecall import` takes in what people have tagged")
    model = parts.active.current
    groups, count = group_duplicates([e.text for e in trial.examples]), len(trial.examples)
    several = model.fusion.multi_label if model else any(len(e.roles) > 1 for e in trial.examples)
    encoder = encoder_of(parts)
    with foretold(layout.aside(), parts.database, Work.CLEAN, count, f"looking through {count} tickets"):
        untrained = Fusion.untrained(trial.roles, multi_label=several)
        answers = trial.answers(model) if model else trial.without_model(untrained, encoder)
        found = suspicious(answers, trial.labels, trial.roles, groups, share=share, multi_label=several)
    console = layout.console()
    for s in found:
        e = trial.examples[s.index]
        given, likely = (", ".join(roles) for roles in (s.given, s.likely))
        layout.entry(console, f"{e.ticket_key}  {e.text}", f"given {given}, looks like {likely}: {s.reason}")
    if model is None:
        console.print("No model yet: judged by rules and similar tickets. Next: `rolecall train`.")
    console.print(f"{len(found)} of the latest {count} reviewed tickets are worth a look, worst first.")
    if found:
        console.print("Wrong? Reply to the ticket with `/role NAME`, or import it again with the right role.")
