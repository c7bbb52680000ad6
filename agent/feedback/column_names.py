"""Names that helpdesks and people give to the columns of an export, in fifteen languages."""

from __future__ import annotations

from collections.abc import Mapping

SEPARATOR = ";"

KNOWN: Mapping[str, str] = {
    "id": (
        "id;ticket id;issue key;key;ticket key;number;ticket number;ticket;case number;case id;work order number;"
        "work order id;work order;wo number;incident number;incident;request id;issue id;reference;ref;nr;nummer;"
        "ticketnummer;ticket nr;ticket#;ticket #;ticket no;vorgangsnummer;auftragsnummer;meldungsnummer;no;numero;"
        "no ticket;no de ticket;numero de ticket;numero du ticket;no demande;numero de demande;identifiant;"
        "numero ticket;numero richiesta;numero de caso;referencia;numero do chamado;protocolo;meldingsnummer;"
        "aanvraagnummer;zaaknummer;numer;numer zgłoszenia;nr zgłoszenia;nr sprawy;ärendenummer;sagsnummer;saksnummer;"
        "clave de incidencia;id del ticket;id de ticket;"
        "no incidencia;numero de incidencia;identificador;codigo;vorgangsschlüssel;vorgangs id;clé de ticket;clé;"
        "id du ticket;número do ticket;chiave;číslo;číslo požadavku;номер;номер заявки;编号;工单号;番号;번호;#"
    ),
    "subject": (
        "subject;summary;title;short description;headline;topic;betreff;titel;kurzbeschreibung;objet;titre;sujet;"
        "asunto;titulo;resumen;descripción breve;descripción corta;thema;zusammenfassung;"
        "résumé;tema;resumo;riepilogo;assunto;oggetto;titolo;onderwerp;samenvatting;temat;tytuł;ämne;rubrik;emne;předmět;název;тема;"
        "заголовок;konu;主题;标题;件名;제목"
    ),
    "body": (
        "body;description;details;text;message;content;long description;problem description;comment;comments;notes;"
        "beschreibung;nachricht;inhalt;descripción;mensaje;contenu;corps;texte;commentaire;description du problème;"
        "problème;descrição;mensagem;descrizione;messaggio;testo;omschrijving;beschrijving;bericht;melding;tekst;opis;"
        "opis problemu;treść;wiadomość;beskrivning;beskrivelse;popis;detalle;detalles;comentario;"
        "comentarios;observaciones;artikel;erste nachricht;last message;first message;"
        "описание;açıklama;描述;内容;説明;설명;내용"
    ),
    "role": (
        "role;label;labels;zuständige gruppe;bearbeitergruppe;assignee group;team;teams;assigned team;"
        "assignment group;assigned group;group;queue;department;category;component;components;component/s;tags;"
        "assigned to;rolle;gruppe;warteschlange;abteilung;kategorie;équipe;groupe;équipe assignée;equipo;"
        "service;file d'attente;groupe de techniciens;attribué à groupe de techniciens;attribué à;catégorie;grupo;"
        "grupo asignado;asignado a;departamento;cola;categoría;fila;squadra;gruppo;gruppo assegnato;reparto;coda;ploeg;"
        "groep;behandelgroep;behandelaarsgroep;wachtrij;afdeling;proyecto;projekt;projet;komponente;komponenten;"
        "composant;composants;componente;zespół;grupa;kolejka;dział;kategoria;kö;kø;"
        "avdelning;avdeling;skupina;fronta;oddělení;группа;команда;ekip;grup;组;团队;グループ;チーム;그룹;팀"
    ),
    "created_at": (
        "created at;created;created on;created date;created time;creation time;creation date;date created;opened at;"
        "opened;open date;date opened;opened on;requested at;requested on;submitted;submitted on;reported;"
        "reported on;date;erstellt;erstellt am;erstelldatum;erstellungsdatum;eröffnet;eröffnet am;angelegt;"
        "angelegt am;eingangsdatum;gemeldet am;créé le;créé;date de création;date d'ouverture;ouvert le;ouverture;"
        "date de la demande;création;"
        "creado;creado el;creada;creada el;"
        "fecha de alta;hora de creación;fecha de registro;creación;solicitado;requested;erstellzeit;"
        "fecha de creación;fecha de apertura;abierto;abierto el;fecha;criado em;"
        "criado;data de criação;data de abertura;aberto em;creato;creato il;data di creazione;data di apertura;"
        "aperto il;aangemaakt;aangemaakt op;aanmaakdatum;datum aangemaakt;ingediend op;openingsdatum;utworzono;"
        "data utworzenia;data zgłoszenia;data rejestracji;skapad;skapat;oprettet;opprettet;vytvořeno;datum vytvoření;"
        "datum;data;создан;создано;дата создания;дата;oluşturulma;tarih;创建时间;创建日期;作成日;作成日時;생성일;등록일"
    ),
}
"""By field, how exports call the column, as `agent.feedback.columns.fold` leaves it; the first that is there counts."""
