"""A desk whose model is trained once."""

from tests.agent.conftest import encoders as encoders
from tests.agent.conftest import learnt as learnt
from tests.agent.conftest import trained as trained
from tests.agent.conftest import trained_once as trained_once
