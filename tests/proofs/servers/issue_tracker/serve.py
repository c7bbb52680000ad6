"""A host project for genericissuetracker as its README says, with HTTP Basic: serve.py FOLDER PORT."""

import sys
from pathlib import Path

import django
from django.conf import settings

home, port = Path(sys.argv[1]), sys.argv[2]
home.mkdir(parents=True, exist_ok=True)
settings.configure(
    SECRET_KEY="of tests",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "genericissuetracker"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": home / "db.sqlite3"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"]},
    GENERIC_ISSUETRACKER_DEFAULT_PERMISSION_CLASSES=["rest_framework.permissions.IsAuthenticated"],
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402 - after the settings
from django.core.management import call_command  # noqa: E402
from django.urls import include, path  # noqa: E402

urlpatterns = [path("api/", include("genericissuetracker.urls.root"))]
call_command("migrate", verbosity=0)
for name in ("rolecall", "sam"):
    User.objects.create_user(name, f"{name}@example.test", f"{name}-pw")
call_command("runserver", f"127.0.0.1:{port}", "--noreload")
