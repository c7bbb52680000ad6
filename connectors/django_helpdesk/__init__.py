"""django-helpdesk 2.6: webhooks without a signature, closes without a webhook, comments rendered as templates."""

from connectors.django_helpdesk.connector import DjangoHelpdesk
from connectors.django_helpdesk.settings import DjangoHelpdeskSettings

__all__ = ["DjangoHelpdesk", "DjangoHelpdeskSettings"]
