"""django-helpdesk 2.6: webhooks without a signature, closes without a webhook, comments rendered as templates.

The pattern of a connector                        Quirks of this system
`connector`  what the agent calls                 `histories`  nothing says "closed" but a row of a ticket's history
`settings`   what an operator sets                `paging`     long lists, read from their ends
`payload`    the system's JSON                    `polling`    closes and tickets that send no webhook
`mapping`    the same in our terms, as events     `templates`  comments are rendered as Django templates
                                                  `refusals`   400 for a ticket that is not there
                                                  `advice`     what may be set up badly on the other side
"""

from connectors.django_helpdesk.connector import DjangoHelpdesk
from connectors.django_helpdesk.settings import DjangoHelpdeskSettings

__all__ = ["DjangoHelpdesk", "DjangoHelpdeskSettings"]
