"""NetBox's configuration: only what it needs, on ports of the proof."""

import os

ALLOWED_HOSTS = ["*"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "netbox",
        "USER": "netbox",
        "HOST": "127.0.0.1",
        "PORT": os.environ["PROOF_PG_PORT"],
    }
}
_PORT = int(os.environ["PROOF_REDIS_PORT"])
_REDIS = {"HOST": "127.0.0.1", "PORT": _PORT, "USERNAME": "", "PASSWORD": "", "SSL": False}
REDIS = {"tasks": {**_REDIS, "DATABASE": 0}, "caching": {**_REDIS, "DATABASE": 1}}
SECRET_KEY = "of the proofs " * 5
API_TOKEN_PEPPERS = {1: "of the proofs " * 5}
PLUGINS = ["netbox_circuitmaintenance"]
ISOLATED_DEPLOYMENT = True
CENSUS_REPORTING_ENABLED = False
RELEASE_CHECK_URL = None
