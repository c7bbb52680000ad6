"""PostgreSQL for the tests of this folder."""

from tests.faults.postgres import cluster as cluster
