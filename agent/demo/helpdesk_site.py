"""A complete django-helpdesk site in one file and one process, for the demo and for tests.

Run by the Python of the helpdesk's own environment, never imported by the agent::

    python -I helpdesk_site.py DATA_DIR PORT

`-I` keeps this folder off the import path, where `helpdesk.py` would hide the package of the same name. PORT 0 takes a
free one. Both kinds of events go to the addresses in WEBHOOK_URL in the environment, with blanks between. When the site
answers, DATA_DIR/seed.json holds the address, ids, tokens and passwords, and the line `READY http://...` is printed. It
ends on SIGTERM, SIGINT, or when its standard input is closed, that is, when the process that started it is gone.

The passwords are in seed.json and the password hash is a fast one: for loopback only.
"""

import json
import os
import secrets
import signal
import sys
import threading
from pathlib import Path

HOST = "127.0.0.1"
QUEUES = {
    "WO": "Work orders",
    "HYD": "Hydraulics",
    "ENG": "Engine",
    "LUB": "Lubrication",
    "ELE": "Electrical",
    "BKT": "Bucket",
    "CAB": "Cabin & HVAC",
    "STR": "Structure & Undercarriage",
}
STAFF = ("admin", "agent", "tech")
SUPERUSER = "admin"
REQUESTER = "customer"

urlpatterns = []


class WithoutMigrations:
    """Make Django create the tables from the models: 2 s instead of 80-odd migrations in 10 s."""

    def __contains__(self, app):
        return True

    def __getitem__(self, app):
        return None


def webhook_urls():
    """Return the addresses to send events to; the helpdesk calls this for each event."""
    return os.environ.get("WEBHOOK_URL", "").split()


def configure(data):
    """Set up Django with everything kept below `data`."""
    from django.conf import settings

    settings.configure(
        SECRET_KEY=stored_key(data / "secret_key"),
        ALLOWED_HOSTS=[HOST, "localhost"],
        ROOT_URLCONF="__main__",
        SITE_ID=1,
        USE_TZ=True,
        TIME_ZONE="UTC",
        LOGIN_URL="/login/",
        LOGIN_REDIRECT_URL="/tickets/",
        STATIC_URL="/static/",
        MEDIA_URL="/media/",
        MEDIA_ROOT=data / "media",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
        # The slow default costs 0.3 s at every login.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        MIGRATION_MODULES=WithoutMigrations(),
        INSTALLED_APPS=[
            *(f"django.contrib.{app}" for app in ("auth", "contenttypes", "sessions", "messages", "sites")),
            *(f"django.contrib.{app}" for app in ("humanize", "staticfiles", "admin")),
            "rest_framework",
            "rest_framework.authtoken",
            "helpdesk",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": data / "helpdesk.sqlite3",
                # A webhook is sent inside the request that caused it, and its receiver may write at once.
                "OPTIONS": {
                    "timeout": 20,
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                },
            }
        },
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [
                "rest_framework.authentication.TokenAuthentication",
                "rest_framework.authentication.SessionAuthentication",
            ]
        },
        HELPDESK_TEAMS_MODE_ENABLED=False,
        HELPDESK_VIEW_A_TICKET_PUBLIC=True,
        HELPDESK_SUBMIT_A_TICKET_PUBLIC=True,
        # Without it, a staff-only comment is still sent by e-mail to the ticket's owner and to everybody on copy.
        HELPDESK_PRIVATE_FOLLOWUP_MEANS_NO_EMAILS=True,
        HELPDESK_GET_NEW_TICKET_WEBHOOK_URLS=webhook_urls,
        HELPDESK_GET_FOLLOWUP_WEBHOOK_URLS=webhook_urls,
    )


def stored_key(path):
    """Return the signing key of this site: sessions survive a restart."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()


def seed(address):
    """Create what is missing of site, people, tokens and queues; return it all as one JSON-able value."""
    from django.contrib.auth import get_user_model
    from django.contrib.sites.models import Site
    from helpdesk.models import Queue
    from rest_framework.authtoken.models import Token

    Site.objects.update_or_create(pk=1, defaults={"domain": address, "name": "Helpdesk"})
    people = {}
    for name in (*STAFF, REQUESTER):
        person, new = get_user_model().objects.get_or_create(
            username=name,
            defaults={
                "email": f"{name}@example.test",
                "is_staff": name in STAFF,
                "is_superuser": name == SUPERUSER,
            },
        )
        if new:
            person.set_password(f"{name}-demo")
            person.save()
        people[name] = person
    queues = {
        slug: Queue.objects.get_or_create(
            slug=slug, defaults={"title": title, "allow_public_submission": slug == "WO"}
        )[0]
        for slug, title in QUEUES.items()
    }
    return {
        "url": f"http://{address}",
        "user_ids": {name: person.pk for name, person in people.items()},
        "passwords": {name: f"{name}-demo" for name in people},
        "tokens": {name: Token.objects.get_or_create(user=people[name])[0].key for name in STAFF},
        "queues": {slug: queue.pk for slug, queue in queues.items()},
    }


def end_with_parent():
    """Stop once standard input is closed: the pipe's other end lives exactly as long as the process that started us."""
    while sys.stdin.buffer.read(1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def stop(*_):
    """Leave the serving loop."""
    raise SystemExit(0)


def main(data, port):
    """Create the database, seed it and serve until told to stop."""
    data.mkdir(parents=True, exist_ok=True)
    configure(data)

    import django

    django.setup()

    from django.contrib import admin
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.management import call_command
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application
    from django.urls import include, path

    urlpatterns.append(path("admin/", admin.site.urls))
    urlpatterns.append(path("", include("helpdesk.urls", namespace="helpdesk")))

    call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
    server = ThreadedWSGIServer((HOST, port), WSGIRequestHandler)
    server.daemon_threads = True
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    facts = seed(f"{HOST}:{server.server_port}")
    unfinished = data / "seed.json.part"
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(facts, indent=1))
    unfinished.replace(data / "seed.json")
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threading.Thread(target=end_with_parent, daemon=True).start()
    print(f"READY {facts['url']}", flush=True)  # noqa: T201 (for the person who starts it by hand)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
