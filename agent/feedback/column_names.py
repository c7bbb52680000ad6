"""Names that helpdesks and people give to the columns of an export, in a dozen languages."""

from __future__ import annotations

from collections.abc import Mapping

SEPARATOR = ";"

KNOWN: Mapping[str, str] = {
    "id": (
        "id;ticket id;issue key;key;ticket key;number;ticket number;ticket;case number;case id;work order number;"
        "work order id;work order;wo number;incident number;incident;request id;issue id;reference;ref;nr;nummer;"
        "ticketnummer;ticket nr;ticket#;ticket #;ticket no;vorgangsnummer;auftragsnummer;meldungsnummer;no;numéro;"
        "numero;número;numer;номер;编号;工单号;番号;번호;#"
    ),
    "subject": (
        "subject;summary;title;short description;headline;topic;betreff;titel;kurzbeschreibung;objet;titre;sujet;"
        "asunto;título;titulo;assunto;oggetto;titolo;onderwerp;temat;тема;заголовок;konu;主题;标题;件名;제목"
    ),
    "body": (
        "body;description;details;text;message;content;long description;problem description;comment;comments;notes;"
        "beschreibung;nachricht;inhalt;descripción;descripcion;mensaje;contenu;corps;descrição;descricao;mensagem;"
        "descrizione;messaggio;omschrijving;opis;описание;açıklama;描述;内容;内容;説明;설명;내용"
    ),
    "role": (
        "role;label;labels;zuständige gruppe;bearbeitergruppe;assignee group;team;teams;assigned team;"
        "assignment group;assigned group;group;queue;department;category;component;components;component/s;tags;"
        "assigned to;rolle;gruppe;warteschlange;abteilung;kategorie;équipe;equipe;groupe;équipe assignée;equipo;"
        "grupo;cola;categoría;squadra;gruppo;categoria;ploeg;zespół;группа;команда;ekip;grup;组;团队;グループ;チーム;그룹;팀"
    ),
    "created_at": (
        "created at;created;created on;created date;created time;creation time;creation date;date created;"
        "opened at;opened;open date;date opened;opened on;requested at;requested on;submitted;submitted on;"
        "reported;reported on;date;erstellt;erstellt am;erstelldatum;erstellungsdatum;eröffnet;eröffnet am;"
        "angelegt;angelegt am;eingangsdatum;gemeldet am;datum;créé le;créé;date de création;creado;"
        "fecha de creación;fecha;criado em;criado;data;data de criação;creato;creato il;aangemaakt;utworzono;"
        "создан;создано;дата создания;дата;oluşturulma;tarih;创建时间;创建日期;作成日;作成日時;생성일;등록일"
    ),
}
"""By field, how exports call the column, as `agent.feedback.columns.fold` leaves it; the first that is there counts."""
