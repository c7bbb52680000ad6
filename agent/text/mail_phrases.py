"""What mail programs of several languages put around somebody else's words, and how people end their own.

A new language is a few more words in each tuple. All are matched without regard to case.
"""

SAYS = (
    *("wrote", "writes", "said"),
    *("schrieb", "schreibt", "geschrieben"),
    *("écrit",),
    *("escribió", "escribe"),
    *("ha scritto", "scrive"),
    *("schreef", "geschreven"),
    *("escreveu",),
    *("skrev", "skriver", "kirjoitti"),
    *("napisał", "napisała", "napisał(a)", "napsal", "napsala", "napsal(a)"),
    *("написал", "написала", "написал(а)"),
    *("yazdı", "写道", "書きました"),
)
"""Verbs of attributions, whose line ends in a colon: "On Monday, Ann Other wrote:", "Customer writes:"."""

BEGINS_ATTRIBUTION = ("on", "am", "le", "el", "il", "op", "em", "den", "w dniu", "dne")
"""First words of attributions that programs break into several lines; a number follows in the same line."""

FORWARDED = (
    *("original message", "forwarded message", "begin forwarded", "reply above this line"),
    *("ursprüngliche nachricht", "weitergeleitete nachricht", "weitergeleitete e-mail", "weitergeleiteten"),
    *("message d'origine", "message original", "message transféré", "message réexpédié"),
    *("mensaje original", "mensaje reenviado", "messaggio originale", "messaggio inoltrato"),
    *("oorspronkelijk bericht", "doorgestuurd bericht", "mensagem original", "mensagem encaminhada"),
    *("ursprungligt meddelande", "vidarebefordrat meddelande", "oprindelig meddelelse", "videresendt"),
    *("oryginalna wiadomość", "wiadomość oryginalna", "původní zpráva"),
    *("исходное сообщение", "пересылаемое сообщение", "原始邮件", "转发的邮件"),
)
"""Titles of forwarded mails, framed by dashes or ending in a colon."""

HEADERS = (
    *("from", "sent", "to", "cc", "date", "subject", "reply-to"),
    *("von", "gesendet", "an", "kopie", "datum", "betreff"),
    *("de", "envoyé", "à", "objet", "enviado", "enviado el", "para", "fecha", "asunto"),
    *("da", "inviato", "a", "data", "oggetto", "van", "verzonden", "aan", "onderwerp"),
    *("från", "skickat", "till", "ämne", "fra", "til", "emne", "od", "wysłano", "do", "temat"),
    *("odesláno", "komu", "předmět", "от", "дата", "кому", "тема"),
    *("发件人", "发送时间", "收件人", "主题"),
)
"""Names of the lines at the head of a forwarded mail."""

SIGN_OFFS = (
    *("regards", "best regards", "kind regards", "warm regards", "with kind regards", "best wishes", "cheers"),
    *("thanks", "many thanks", "thank you", "thanks and regards", "sincerely", "yours sincerely", "yours faithfully"),
    *("mit freundlichen grüßen", "mit besten grüßen", "mit herzlichen grüßen", "mit freundlichem gruß"),
    *("viele grüße", "beste grüße", "schöne grüße", "liebe grüße", "freundliche grüße", "grüße", "gruß"),
    *("mit freundlichen gruessen", "viele gruesse", "mfg", "vg", "lg"),
    *("cordialement", "bien cordialement", "sincères salutations"),
    *("saludos", "saludos cordiales", "un saludo", "atentamente"),
    *("cordiali saluti", "distinti saluti", "saluti", "met vriendelijke groet", "met vriendelijke groeten"),
    *("atenciosamente", "med vänlig hälsning", "venlig hilsen", "pozdrawiam", "s pozdravem"),
)
"""Lines after which a signature may follow."""

DEVICES = (
    *("sent from my", "sent from mail", "sent from outlook", "get outlook for"),
    *("von meinem", "gesendet von", "gesendet mit", "envoyé de mon", "envoyé depuis mon"),
    *("enviado desde mi", "inviato da", "verzonden vanaf"),
)
"""Beginnings of the lines that telephones add."""

GREETINGS = (
    *("hi", "hello", "hey", "dear", "good (?:morning|afternoon|evening|day)", "greetings"),
    *("hallo", "moin", "servus", "grüezi", "liebe[rs]?", "sehr geehrte[rs]?", "guten (?:tag|morgen|abend)"),
    *("bonjour", "bonsoir", "salut", "chère?s?", "hola", "buen[oa]s (?:días|tardes|noches)", "estimad[oa]s?"),
    *("ciao", "salve", "buon(?:giorno|asera)", "gentile", "hoi", "dag", "beste", "goede(?:morgen|middag|navond)"),
    *("olá", "bom dia", "boa tarde", "prezad[oa]s?", "hej", "hei", "god (?:morgon|dag|kväll)", "cześć", "dzień dobry"),
    *("ahoj", "dobrý den", "привет", "здравствуйте", "добрый день", "merhaba", "selam", "günaydın", "sayın"),
)
"""First words of lines that greet, as patterns."""
