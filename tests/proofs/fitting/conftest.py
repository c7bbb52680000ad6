"""The base encoder that is small enough to train."""

from tests.agent.fitting.conftest import job as job
from tests.agent.fitting.conftest import tiny_base as tiny_base
