"""The model API of a fresh installation, as its quick tests have it."""

from tests.agent.model_api.web.conftest import api_parts as api_parts
from tests.agent.model_api.web.conftest import exported as exported
from tests.agent.model_api.web.conftest import serve as serve
from tests.agent.model_api.web.conftest import tiny_base as tiny_base
