"""Make accounts and providers of the proof, and print their ids and tokens as JSON. Runs in NetBox itself."""

import json

import django

django.setup()

from circuits.models import Provider  # noqa: E402 - after the settings
from core.models import ObjectType  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from users.models import ObjectPermission, Token  # noqa: E402

found = {}
for name in ("admin", "tech", "rolecall"):
    user = get_user_model().objects.create(username=name, is_superuser=name != "rolecall", is_active=True)
    token = name[0] * 40
    Token(user=user, version=1, token=token).save()
    found[name] = {"id": user.pk, "token": token}
rights = (("circuitmaintenance", ["view"]), ("journalentry", ["view", "add", "change", "delete"]))
for model, actions in rights:
    permission = ObjectPermission.objects.create(name=f"Rolecall {model}", actions=actions)
    permission.object_types.set(ObjectType.objects.filter(model=model))
    permission.users.set([found["rolecall"]["id"]])
for slug in ("network", "electrician"):
    found[slug] = Provider.objects.create(name=slug.title(), slug=slug).pk
print(json.dumps(found))
