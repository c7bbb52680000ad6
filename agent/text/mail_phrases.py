"""What mail programs of several languages put around somebody else's words, and how people end their own.

A new language is a few more words in each tuple. All are matched without regard to case.
"""

SAYS = (
    *("wrote", "writes", "said"),
    *("schrieb", "schreibt", "geschrieben"),
    *("écrit",),
    *("escribió", "escribe", "ha escrito"),
    *("ha scritto", "scrive"),
    *("schreef", "geschreven"),
    *("escreveu",),
    *("skrev", "skriver", "kirjoitti"),
    *("napisał", "napisała", "napisał(a)", "pisze", "napsal", "napsala", "napsal(a)", "píše"),
    *("написал", "написала", "написал(а)", "пишет"),
    *("yazdı", "şunu yazdı", "写道", "書きました", "のメッセージ", "작성", "كتب", "ने लिखा", "लिखा"),
)
"""Verbs of attributions, whose line ends in a colon: "On Monday, Ann Other wrote:", "Customer writes:"."""

SHOWS = ("said", "schreibt", "pisze", "píše", "пишет")
"""Those that are said of screens, too ("na ekranie pisze:"), where neither a date nor an address of mail stands."""

BEGINS_ATTRIBUTION = ("on", "am", "le", "el", "il", "op", "em", "den", "w dniu", "dne")
"""First words of attributions that programs break into several lines; a number follows in the same line."""

FORWARDED = (
    *(
        "forwarded message",
        "begin forwarded",
        "weitergeleitete nachricht",
        "weitergeleitete e-mail",
        "weitergeleiteten",
    ),
    *(
        "weitergeleiteten",
        "message transféré",
        "message réexpédié",
        "mensaje reenviado",
        "messaggio inoltrato",
        "doorgestuurd bericht",
    ),
    *("mensagem encaminhada", "vidarebefordrat meddelande", "videresendt", "przekazana wiadomość", "přeposlaná zpráva"),
    *("пересылаемое сообщение", "iletilen mesaj", "yönlendirilen ileti", "转发的邮件", "転送メッセージ", "전달된 메일"),
)
"""Titles of forwarded mails, framed by dashes or ending in a colon."""

ORIGINAL = (
    *("por encima de esta línea", "oberhalb dieser zeile", "au-dessus de cette ligne", "acima desta linha"),
    *("sopra questa riga", "boven deze regel"),
    *("original message", "reply above this line", "ursprüngliche nachricht", "message d'origine", "message original"),
    *("mensaje original", "messaggio originale", "oorspronkelijk bericht", "mensagem original"),
    *("ursprungligt meddelande", "oprindelig meddelelse", "oryginalna wiadomość", "wiadomość oryginalna"),
    *(
        "původní zpráva",
        "исходное сообщение",
        "özgün ileti",
        "orijinal mesaj",
        "原始邮件",
        "元のメッセージ",
        "원본 메일",
    ),
    *("원본 메시지", "الرسالة الأصلية", "मूल संदेश"),
)
"""Titles of mails that were answered or forwarded, likewise."""

HEADERS = (
    *("from", "sent", "to", "cc", "date", "reply-to"),
    *("von", "gesendet", "an", "kopie", "datum"),
    *("de", "envoyé", "à", "enviado", "enviado el", "para", "fecha"),
    *("da", "inviato", "a", "data", "van", "verzonden", "aan"),
    *("från", "skickat", "till", "fra", "til", "od", "wysłano", "do"),
    *("odesláno", "komu", "от", "дата", "кому"),
    *("kimden", "gönderen", "gönderme tarihi", "kime", "bilgi", "差出人", "送信日時", "宛先", "보낸 사람", "보낸 날짜"),
    *("받는 사람", "من", "إلى", "التاريخ", "प्रेषक", "दिनांक", "प्रति", "发件人", "发送时间", "收件人", "日期", "抄送"),
)
"""Names of the lines at the head of a forwarded mail, besides its subject."""

SUBJECTS = (
    *("subject", "betreff", "objet", "asunto", "oggetto", "onderwerp", "assunto", "ämne", "emne", "temat", "předmět"),
    *("тема", "konu", "主题", "件名", "제목", "الموضوع", "विषय"),
)
"""Names of the line with a mail's subject."""

FORWARDING = (
    *("fw", "fwd", "wg", "tr", "rv", "enc", "i", "doorst", "vb", "vl", "pd", "ynt", "ilt", "転送", "转发", "전달"),
)
"""What mail programs put before the subject of a forwarded mail."""

SIGN_OFFS = (
    *("regards", "best regards", "kind regards", "warm regards", "with kind regards", "best wishes", "cheers"),
    *("thanks", "many thanks", "thank you", "thanks and regards", "sincerely", "yours sincerely", "yours faithfully"),
    *("mit freundlichen grüßen", "mit besten grüßen", "mit herzlichen grüßen", "mit freundlichem gruß"),
    *(
        "viele grüße",
        "beste grüße",
        "schöne grüße",
        "liebe grüße",
        "freundliche grüße",
        "herzliche grüße",
        "grüße",
        "gruß",
    ),
    *("mit freundlichen gruessen", "viele gruesse", "mfg", "m.f.g.", "vg", "lg", "hochachtungsvoll"),
    *("danke", "vielen dank", "besten dank", "herzlichen dank", "mit bestem dank", "danke im voraus"),
    *(
        "mit freundlichen grüssen",
        "freundliche grüsse",
        "viele grüsse",
        "beste grüsse",
        "liebe grüsse",
        "grüsse",
        "gruss",
    ),
    *("cordialement", "bien cordialement", "sincères salutations"),
    *("saludos", "saludos cordiales", "un saludo", "un cordial saludo", "un saludo cordial"),
    *("reciba un cordial saludo", "reciban un cordial saludo", "quedo a la espera", "quedamos a la espera"),
    *("atentamente", "atte", "gracias", "muchas gracias", "gracias de antemano", "gracias y saludos", "merci"),
    *("merci d'avance", "merci beaucoup", "bonne journée", "grazie", "grazie mille", "obrigado", "obrigada", "bedankt"),
    *("cordiali saluti", "distinti saluti", "saluti", "met vriendelijke groet", "met vriendelijke groeten"),
    *("atenciosamente", "med vänlig hälsning", "venlig hilsen", "pozdrawiam", "s pozdravem"),
)
"""Lines after which a signature may follow."""

DISCLAIMERS = (
    *("this e-mail and any", "this email and any", "this message and any", "this message is confidential"),
    *("confidentiality notice", "the information contained in this", "please consider the environment"),
    *("diese e-mail enthält", "diese mail enthält", "diese nachricht enthält", "der inhalt dieser e-mail"),
    *("der inhalt dieser nachricht", "diese e-mail ist vertraulich", "bitte denken sie an die umwelt"),
    *("ce message et toutes les pièces", "ce message et ses pièces", "ce courriel et ses", "este mensaje y sus"),
    *("este mensaje y los", "este mensaje, y en su caso", "este mensaje contiene información"),
    *("este correo electrónico y sus", "este correo electrónico contiene información", "este correo y sus"),
    *("la información contenida en este", "aviso legal:", "aviso de confidencialidad", "cláusula de confidencialidad"),
    *("antes de imprimir este", "por favor, antes de imprimir este", "piensa antes de imprimir", "p please consider"),
    *("please think before you print", "think before you print", "before printing this e-mail"),
    *("bevor sie diese e-mail", "bevor sie diese mail", "denken sie an die umwelt", "n'imprimez ce", "n'imprimez cet"),
    *("pensez à l'environnement", "avant d'imprimer ce", "avant d'imprimer cet", "ce courrier électronique et"),
    *("questo messaggio e i suoi", "le informazioni contenute in questo", "prima di stampare questa", "dit bericht is"),
    *("virus-free", "virenfrei", "sans virus", "libre de virus", "this email has been checked for viruses"),
    *("this e-mail has been checked for viruses", "this message has been scanned", "this email has been scanned"),
    *("this e-mail has been scanned", "diese e-mail wurde von avast", "diese e-mail wurde auf viren"),
    *(
        "cet e-mail a été vérifié",
        "l'absence de virus dans ce",
        "el software de antivirus",
        "este correo ha sido analizado",
    ),
    *("questa e-mail è stata controllata", "dit bericht is gescand", "ta wiadomość została sprawdzona"),
    *("denk aan het milieu", "pense no meio ambiente", "esta mensagem e seus", "pomyśl, zanim wydrukujesz"),
)
"""Beginnings of what lawyers, those who would spare paper, and scanners for viruses put below mails."""

DEVICES = (
    *("sent from my", "sent from mail", "sent from outlook", "gesendet von meinem", "von meinem", "sent from yahoo"),
    *(
        "sent from proton",
        "sent from bluemail",
        "sent from spark",
        "sent using zoho",
        "get bluemail",
        "enviado do yahoo",
    ),
    *("yahoo mail: search", "diese nachricht wurde von meinem"),
    *("envoyé de mon", "envoyé depuis mon", "enviado desde mi", "enviado do meu", "skickat från min", "sendt fra min"),
    *("tarafımdan gönderildi", "发自我的", "发自我的iphone", "從我的iphone傳送", "iphoneから送信"),
    *("iphone에서 보냄", "나의 iphone에서 보냄"),
)
"""Beginnings of the lines that telephones add."""

SENT = (
    *("sent via", "sent with", "gesendet von", "gesendet mit", "gesendet über", "envoyé depuis", "envoyé à partir de"),
    *("enviado desde", "enviado a partir do", "inviato da", "verzonden vanaf", "verzonden met", "verstuurd vanaf"),
    *("verstuurd met", "wysłano z", "wysłane z", "lähetetty", "odesláno z", "poslané z", "отправлено с"),
    *("отправлено из", "get outlook for", "holen sie sich outlook für", "télécharger outlook pour"),
    *("obtenez outlook pour", "obtener outlook para", "obtén outlook para", "obter o outlook para"),
    *("scarica outlook per", "ottieni outlook per", "download outlook voor", "pobierz aplikację outlook dla"),
    *("hämta outlook för", "hent outlook til"),
)
"""Beginnings of such lines, if a device is named: what else was sent may be what a ticket is about."""

DEVICE_NAMES = (
    *("iphone", "iphone'a", "iphonea", "iphonesta", "iphone'umdan", "ipad", "ipadu", "ipada", "ipadista", "ios"),
    *("android", "androidu", "samsung", "galaxy", "huawei", "xiaomi", "blackberry", "smartphone", "handy"),
    *("mobiltelefon", "mobile", "móvil", "cellulare", "telefonu", "telefoon", "puhelimesta", "outlook"),
    *("windows", "gmx", "web.de", "yahoo", "gmail", "proton", "mail app", "telekom mail"),
)
"""Words for telephones and programs of mail."""

LABELS = (
    *("caution", "warning", "notice", "external", "external email", "external sender", "vorsicht", "achtung", "extern"),
    *("externe e-mail", "attention", "externe", "message externe", "atención", "externo", "attenzione", "esterno"),
    *("let op", "uwaga", "zewnętrzny", "varning", "pozor", "внимание"),
)
"""What may stand before a warning of a mail gateway."""

WARNINGS = (
    *(f"this {mail} {comes}" for mail in ("email", "e-mail", "message", "mail")
      for comes in ("originated from outside", "originates from outside", "came from outside", "comes from outside",
                    "was sent from outside", "is from outside", "originated outside", "came from an external",
                    "is from an external", "was sent by an external", "has been sent from outside")),
    *(f"diese {mail} {comes}" for mail in ("e-mail", "email", "mail", "nachricht")
      for comes in ("kommt von außerhalb", "stammt von außerhalb", "wurde von außerhalb", "kommt von extern",
                    "stammt von einem externen", "kommt von einem externen", "wurde von einem externen")),
    *(f"{mail} {comes}" for mail in ("cet e-mail", "cet email", "ce courriel", "ce message", "ce mail")
      for comes in ("provient de l'extérieur", "provient d'un expéditeur", "vient de l'extérieur",
                    "émane de l'extérieur", "a été envoyé depuis l'extérieur", "provient d'une source externe")),
    *("este correo proviene de fuera", "este correo electrónico proviene de", "este mensaje proviene de fuera"),
    *("este e-mail foi enviado de fora", "este email é externo", "questa email proviene dall'esterno"),
    *("questa e-mail proviene dall'esterno", "questo messaggio proviene dall'esterno"),
    *("deze e-mail is afkomstig van buiten", "deze e-mail komt van buiten", "dit bericht is afkomstig van buiten"),
    *("ta wiadomość pochodzi spoza", "ta wiadomość została wysłana spoza", "wiadomość pochodzi spoza"),
    *("detta e-postmeddelande kommer från en extern", "denne e-mail kommer fra en ekstern"),
    *("you don't often get email from", "some people who received this message don't often get email from"),
    *("sie erhalten nicht häufig e-mails von", "sie erhalten nicht oft eine e-mail von"),
    *("vous n'obtenez pas souvent d'e-mail", "vous ne recevez pas souvent de courriers de", "no suele recibir correo"),
    *("u ontvangt niet vaak e-mail van", "non si ricevono spesso messaggi di posta elettronica da"),
    *("nie otrzymujesz często wiadomości e-mail od",),
)  # fmt: skip
"""Beginnings of what mail gateways write above mails from elsewhere."""

WARNED = (
    *("do not", "don't", "please do not", "please be", "please exercise", "be careful", "exercise caution"),
    *("use caution", "only click", "never", "unless you", "learn why", "think before", "report"),
    *("klicken sie", "öffnen sie", "bitte klicken", "bitte öffnen", "bitte seien", "seien sie", "vorsicht"),
    *("erfahren sie", "ne cliquez", "n'ouvrez", "veuillez", "soyez", "no haga clic", "no abra", "non cliccare"),
    *("non aprire", "não clique", "klik niet", "open geen", "nie klikaj", "nie otwieraj", "klicka inte", "klik ikke"),
)
"""Beginnings of the lines below a warning that go on with it."""

GREETINGS = (
    *("hi", "hello", "hey", "dear", "good (?:morning|afternoon|evening|day)", "greetings"),
    *("hallo", "moin", "servus", "grüezi", "liebe[rs]?", "sehr geehrte[rs]?", "guten (?:tag|morgen|abend)"),
    *("bonjour", "bonsoir", "salut", "chère?s?", "hola", "buen[oa]s(?: (?:días|tardes|noches))?", "estimad[oa]s?"),
    *("ciao", "salve", "buon(?:giorno|asera)", "gentile", "hoi", "dag", "beste", "goede(?:morgen|middag|navond)"),
    *("olá", "bom dia", "boa tarde", "prezad[oa]s?", "hej", "hei", "god (?:morgon|dag|kväll)", "cześć", "dzień dobry"),
    *("ahoj", "dobrý den", "привет", "здравствуйте", "добрый день", "merhaba", "selam", "günaydın", "sayın"),
)
"""First words of lines that greet, as patterns."""

FILES = frozenset((
    *("image", "img", "dsc", "dscn", "pxl", "photo", "foto", "bild", "logo", "signature", "outlook", "whatsapp"),
    *("imagen", "captura", "pantalla", "documento", "archivo", "adjunto", "d'écran", "écran", "de", "desde"),
    *("screenshot", "screenshots", "bildschirmfoto", "screen", "shot", "capture", "scan", "copy", "kopie", "at", "um"),
    *("document", "dokument", "doc", "file", "files", "attachment", "att", "unnamed", "noname", "untitled", "winmail"),
    *("smime", "email", "html", "body", "part"),
))  # fmt: skip
"""What programs and people call any file: it says nothing of what is in it."""
