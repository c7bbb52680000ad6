"""The helpdesk of the connector's tests, for what is proved of the helpdesk itself."""

from tests.servers.conftest import helpdesk as helpdesk
from tests.servers.conftest import receiver as receiver
