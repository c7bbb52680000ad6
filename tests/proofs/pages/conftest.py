"""The browser of the pages' own tests, and a desk that can be trained."""

from tests.agent.conftest import encoders as encoders
from tests.agent.conftest import learnt as learnt
from tests.agent.conftest import trained_once as trained_once
from tests.servers.conftest import real_browser as real_browser
