"""Secrets: one name everywhere, several places to keep it.

A secret is called like the environment variable of its setting, `ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN`, whether
it lies in the environment, in `.env`, in a file below `/run/secrets`, in Infisical or in an Azure Key Vault. A secret
that has another name already is referred to: `token = "secret:HELPDESK_TOKEN"`. The environment is asked first, then
`.env`, then what `[secrets] sources` lists, in its order; the first that has a secret wins.
"""

from agent.config.secrets.provider import Reading, Secrets, referred
from agent.config.secrets.source import REFERENCE, Found, SecretsSettings, SourceFailed

__all__ = ["REFERENCE", "Found", "Reading", "Secrets", "SecretsSettings", "SourceFailed", "referred"]
