"""Secrets: one name, several places to keep them.

A secret has the name of the environment variable of its setting, `ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN`, whether
it lies in the environment, in `.env`, in a file below `/run/secrets`, in Infisical or in an Azure Key Vault. A secret
that has another name is referred to: `token = "secret:HELPDESK_TOKEN"`. The environment is read first, then
`.env`, then the `[secrets] sources` in their order; the first one that has a secret wins.
"""

from agent.config.secrets.provider import Reading, Secrets, referred
from agent.config.secrets.source import REFERENCE, Found, SecretsSettings, SourceFailed

__all__ = ["REFERENCE", "Found", "Reading", "Secrets", "SecretsSettings", "SourceFailed", "referred"]
