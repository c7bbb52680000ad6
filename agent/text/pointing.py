"""Detect texts whose words only point to something else ("Hi Bob, please see below") and say nothing themselves."""

from __future__ import annotations

import re

from agent.text.mail_phrases import GREETINGS

_WORDS = (
    *("hi", "hello", "hey", "greetings", "hallo", "moin", "bonjour", "bonsoir", "hola", "ciao", "olá", "hej"),
    *("fyi", "fyr", "please", "pls", "plz", "kindly", "see", "below", "above", "attached", "attachment", "enclosed"),
    *("the", "a", "this", "that", "it", "for", "your", "you", "of", "to", "at", "and", "in", "can", "could", "would"),
    *("have", "take", "look", "check", "help", "handle", "with", "me", "us", "someone", "somebody", "need", "i", "we"),
    *("information", "info", "action", "reference", "forwarding", "forwarded", "fwd", "fw", "mail", "email", "message"),
    *("thanks", "thank", "thx", "there", "everyone", "all", "team", "colleagues", "advise", "review", "assist"),
    *("siehe", "unten", "oben", "anbei", "anhang", "bitte", "zur", "zu", "info", "kenntnis", "kenntnisnahme", "zk"),
    *("um", "erledigung", "bearbeitung", "weitere", "weiteren", "veranlassung", "prüfung", "prüfen", "ansehen"),
    *("s", "u", "o", "ich", "wir", "mir", "mich", "uns", "es", "hier", "hilfe", "unterstützung", "rückmeldung"),
    *("folgende", "folgendes", "nachfolgend", "nachfolgende", "untenstehend", "untenstehende", "leite", "weiter"),
    *("weitergeleitet", "schaut", "schauen", "übernehmen", "könnt", "ihr", "euch", "kümmern", "darum"),
    *("anschauen", "bearbeiten", "kannst", "können", "könnten", "du", "sie", "das", "dir", "ihnen", "mal", "helfen"),
    *("die", "der", "mail", "nachricht", "weiterleitung", "danke", "vielen", "dank", "zusammen", "kollegen", "team"),
    *("voir", "ci", "dessous", "joint", "jointe", "pièce", "pour", "votre", "vos", "merci", "svp", "s", "il", "vous"),
    *("plaît", "le", "la", "les", "message", "suivant", "regarder", "pouvez", "de", "d"),
    *("ver", "abajo", "adjunto", "por", "favor", "gracias", "mensaje", "su", "información", "revisar", "os", "lo"),
    *("reenvío", "reenvio", "paso", "adjunta", "siguiente", "correo", "este", "esto", "podéis", "pueden", "puedes"),
    *("mirar", "mirarlo", "ayuda", "ayudar", "con", "más", "saludo", "saludos", "un", "una", "el", "para", "vuestra"),
    *("vedi", "sotto", "allegato", "favore", "grazie", "zie", "onder", "hieronder", "bijlage", "ter", "bedankt"),
    *("veja", "abaixo", "anexo", "obrigado", "lütfen", "bakınız", "aşağıda", "aşağıdaki", "bilginize", "teşekkürler"),
    *("см", "ниже", "пожалуйста", "спасибо", "请看下面", "请见下文", "见下", "如下", "请查收", "谢谢", "您好", "你好"),
    *("下記", "参照", "お願いします", "よろしくお願いします", "아래", "참조", "부탁드립니다", "안녕하세요"),
    *("انظر", "أدناه", "مرحبا", "شكرا", "कृपया", "नीचे", "देखें", "धन्यवाद", "नमस्ते"),
)

_GREETED = "|".join(GREETINGS)
_GREETING = re.compile(rf"^[^\w\n]{{0,3}}(?:{_GREETED})(?!\w)(?:[^\w\n]{{1,3}}\w+){{0,3}}(?=\s*[,!:\n])", re.I | re.M)
_WORD = re.compile(r"[^\s!-@\[-`{-~\u2000-\u206f\u3000-\u303f\uff00-\uff0f\u060c\u061f\u0964]+")
_POINTING = frozenset(word.casefold() for word in _WORDS)

LONGEST = 1_000
"""Characters; a longer text says something."""


def says_nothing(text: str) -> bool:
    """Return whether a text holds no word of its own, apart from greetings and words that point elsewhere.

    A number says something: it may be an order's, or an error's.
    """
    if len(text) > LONGEST:
        return False
    plain = _GREETING.sub("", text)
    return not any(sign.isdigit() for sign in plain) and all(
        found[0].casefold() in _POINTING for found in _WORD.finditer(plain)
    )
