"""Fill a stopped django-helpdesk with closed tickets. Run by the helpdesk's own Python:

    python -I firstday_fill.py HELPDESK_SITE DATA < tickets.json

Each ticket is {"slug", "title", "body", "created", "closed", "submitter"}.
"""

import importlib.util
import json
import sys
from datetime import datetime
from pathlib import Path


def main(site, data):
    spec = importlib.util.spec_from_file_location("site_of_the_helpdesk", site)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.configure(Path(data))

    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from helpdesk.models import FollowUp, Queue, Ticket

    queues = {queue.slug: queue for queue in Queue.objects.all()}
    tech = get_user_model().objects.get(username="tech")
    given = json.load(sys.stdin)
    tickets = [
        Ticket(
            title=each["title"], description=each["body"], queue=queues[each["slug"]], status=Ticket.CLOSED_STATUS,
            submitter_email=each["submitter"], created=datetime.fromisoformat(each["created"]), priority=3,
        )
        for each in given
    ]  # fmt: skip
    Ticket.objects.bulk_create(tickets)
    tickets = list(Ticket.objects.order_by("-id")[: len(given)])[::-1]
    rows = []
    for ticket, each in zip(tickets, given, strict=True):
        opened, closed = datetime.fromisoformat(each["created"]), datetime.fromisoformat(each["closed"])
        rows.append(FollowUp(ticket=ticket, date=opened, title="Ticket Opened", comment=each["body"], public=True))
        rows.append(FollowUp(ticket=ticket, date=closed, title="Comment", comment="Done.", public=False, user=tech))
        rows.append(
            FollowUp(
                ticket=ticket, date=closed, title="Closed", comment="", public=True, user=tech,
                new_status=Ticket.CLOSED_STATUS,
            )
        )  # fmt: skip
    FollowUp.objects.bulk_create(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
