"""Histories as Excel and helpdesks export them: understood, or refused with the line; nothing vanishes."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from agent.domain import Role, RoleCatalogue
from agent.errors import BadInput
from agent.feedback.dates import Dates
from agent.feedback.form import Told
from agent.feedback.history import History
from agent.feedback.history import read as read_history

ROLES = RoleCatalogue(
    [Role("Network", aliases=("net",)), Role("Electrician"), Role("Cabin & HVAC"), Role("Locks, Doors")]
)
HEADER = "id,subject,body,role,created_at\n"
DAY = datetime(2025, 3, 4, tzinfo=UTC)


def written(folder: Path, content: str | bytes, name: str = "history.csv") -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def read(folder: Path, content: str | bytes, name: str = "history.csv", told: Told | None = None) -> History:
    return read_history(written(folder, content, name), told or Told(), ROLES)


def kept(history: History) -> list[tuple[str, Sequence[str]]]:
    return [(row.id, row.roles) for row in history.rows()]


EXPORTS = {
    "excel": "id;subject;body;role;created_at\r\n1;Wifi;down;net;04.03.2025\r\n",
    "excel's own line": "sep=;\r\nid;subject;body;role;created_at\r\n1;Wifi;down;net;04.03.2025\r\n",
    "excel as Unicode text": "id\tsubject\tbody\trole\tcreated_at\r\n1\tWifi\tdown\tnet\t4.3.25\r\n".encode("utf-16"),
    "an old Mac": HEADER.replace("\n", "\r") + "1,Wifi,down,net,2025-03-04\r",
    "jira": "Issue key,Issue id,Summary,Description,Labels,Labels,Created\n1,10001,Wifi,down,net,,04/Mar/25 12:00 AM\n",
    "servicenow": "number,short_description,description,assignment_group,opened_at\n"
    "1,Wifi,down,Network,2025-03-04 00:00:00\n",
    "zendesk": '{"id": 1, "subject": "Wifi", "description": "down", "group": {"id": 7, "name": "Network"}, '
    '"created_at": "2025-03-04T00:00:00Z"}\n',
    "maintainx": "ID,Title,Description,Status,Assigned to,Teams,Created on\n"
    "1,Wifi,down,Open,Bo,Network,03/04/2025 12:00 AM\n",
    "jira's API": json.dumps(
        {
            "total": 1,
            "issues": [
                {"key": "1", "fields": {"summary": "Wifi", "description": "down", "components": [{"name": "Network"}]}}
            ],
        },
        indent=1,
    ),
    "servicenow's API": json.dumps(
        {
            "result": [
                {
                    "number": "1",
                    "short_description": "Wifi",
                    "description": "down",
                    "comments": [{"x": 1}],
                    "assignment_group": {"display_value": "Network", "link": "https://x"},
                    "opened_at": "2025-03-04 00:00:00",
                }
            ]
        }
    ),
    "with blanks": 'id, subject, body, role, created_at\n1, "Wifi", "down", net, 2025-03-04\n',
    "otrs": 'Ticket#;Angelegt;Queue;Titel;Text\n"=""1""";2025-03-04;Network;Wifi;down\n',
    "signs of no width": "\ufeffid\u200b;\u200bsubject;bo\u00addy;\u2060group;created\n1;Wifi;down;Network;4.3.25\n",
    "german, abbreviated": "Ticket-Nr.;Betreff;Text;Zuständige Gruppe;Angelegt am\n1;Wifi;down;Network;4.3.25\n",
    "gitlab's GraphQL": json.dumps(
        {"data": {"issues": {"nodes": [{"id": 1, "title": "Wifi", "text": "down", "team": {"name": "net"}}]}}}
    ),
    "jq": '{\n"id": 1, "subject": "Wifi",\n"body": "down", "role": "net"\n}\n{\n"id": 1, "subject": "Wifi",'
    '\n"body": "down", "role": "net"\n}\n',
    "OData": json.dumps(
        {"@odata.context": "x", "value": [{"id": 1, "title": "Wifi", "text": "down", "team": {"name": "net"}}]}
    ),
    "MongoDB": json.dumps(
        [
            {
                "_id": {"$oid": "1"},
                "title": "Wifi",
                "text": "down",
                "team": "net",
                "opened": {"$date": "2025-03-04T00:00Z"},
            }
        ]
    ),
    "a list": json.dumps([{"number": "1", "title": "Wifi", "text": "down", "team": ["net"], "opened": 1741046400000}]),
    "an old program": "id;subject;body;role;created_at\r\n'1;Wifi;down;Network;2025-03-04\r\n\x1a",
    "german": "Ticketnummer;Betreff;Beschreibung;Gruppe;Erstellt am\n1;Wifi;down;Network;4. März 2025\n",
}


@pytest.mark.parametrize("export", EXPORTS)
def test_an_export_is_read_as_it_is(tmp_path: Path, export: str) -> None:
    content = EXPORTS[export]
    history = read(
        tmp_path,
        content,
        "export.json"
        if export
        in ("jira's API", "servicenow's API", "gitlab's GraphQL", "a list", "zendesk", "jq", "OData", "MongoDB")
        else "export.csv",
    )
    (row,) = history.rows()
    assert (row.id, row.subject, row.body, row.roles) == ("1", "Wifi", "down", ("Network",))
    assert row.filed_at == DAY or export in ("jira's API", "gitlab's GraphQL", "jq", "OData")  # which tell no dates
    assert (history.valid, history.faulty, history.repeated) == (1, 0, int(export == "jq"))


def with_a_wrong_size(content: io.BytesIO) -> bytes:
    """Return the workbook as programs write it that do not count its cells."""
    changed = io.BytesIO()
    with zipfile.ZipFile(content) as book, zipfile.ZipFile(changed, "w") as copy:
        for name in book.namelist():
            copy.writestr(name, re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', book.read(name)))
    return changed.getvalue()


def test_a_workbook_is_read_without_what_its_cells_look_like(tmp_path: Path) -> None:
    book, content = openpyxl.Workbook(), io.BytesIO()
    titles: list[list[object]] = [["Service Desk"], [], ["ID", "Title", "Text", "Team", "Date"]]
    book.active.append(["Cover of", "a report"])
    sheet = book.create_sheet("Tickets")
    for cells in (*titles, [202503041707, "Wifi", "a_x000D_\nb_x005F_x000D_", "net", datetime(2025, 3, 4)]):
        sheet.append(cells)
    book.save(content)
    history = read(tmp_path, with_a_wrong_size(content), "export.xlsx")
    assert "workbook, sheet 'Tickets', header on line 3 " in next(history.form.in_words())
    (row,) = history.rows()
    assert (row.id, row.filed_at, row.roles) == ("202503041707", DAY, ("Network",))
    assert row.body == "a\nb_x000D_"


def test_cells_merged_down_a_column_hold_what_they_show_and_no_other_does(tmp_path: Path) -> None:
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["Team", "ID", "Title", "Text", "Date"])
    for number in range(1, 7):
        book.active.append([None, number, f"Wifi {number}", "down", datetime(2025, 3, 4)])
    for cells, team in {"A2:A4": "net", "A5:A5": "Electrician", "C6:D7": "Lift", "A9:A99": "net"}.items():
        book.active[cells.partition(":")[0]] = team
        book.active.merge_cells(cells)
    book.save(content)
    history = read(tmp_path, content.getvalue(), "export.xlsx")
    assert kept(history) == [*((str(n), ("Network",)) for n in (1, 2, 3)), ("4", ("Electrician",))]
    assert (history.valid, history.faulty) == (4, 3)  # two without a team, and a team alone; none further below


def test_an_archive_is_told_apart_from_a_damaged_workbook(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("export/tickets.csv", HEADER)
    with pytest.raises(BadInput, match="unpack it first"):
        read(tmp_path, content.getvalue(), "export.zip")


def test_what_can_be_read_only_once_or_is_behind_a_password_is_called_so(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(BadInput, match="no file but a pipe"):
        read_history(pipe, Told(), ROLES)
    with pytest.raises(BadInput, match="behind a password"):
        read(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "export.xlsx")


@pytest.mark.parametrize("damaged", ["docProps/core.xml", "xl/worksheets/sheet1.xml", "xl/workbook.xml"])
def test_a_damaged_workbook_is_refused_whatever_part_of_it_is(tmp_path: Path, damaged: str) -> None:
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["ID", "Title", "Text", "Team", "Date"])
    for number in range(400):
        book.active.append([number, f"Wifi {number}", "down", "net", datetime(2025, 3, 4)])
    book.save(content)
    with zipfile.ZipFile(content) as whole:
        part = whole.getinfo(damaged)
    data = bytearray(content.getvalue())
    start = part.header_offset + 30 + len(damaged)
    data[start : start + part.compress_size] = b"\x00" * part.compress_size
    with pytest.raises(BadInput, match="no workbook that can be read"):
        list(read(tmp_path, bytes(data), "export.xlsx").rows())


@pytest.mark.parametrize(
    ("cell", "roles"),
    [
        ("net; Electrician", ("Network", "Electrician")),
        ('"net, Electrician"', ("Network", "Electrician")),
        ('"Locks, Doors"', ("Locks, Doors",)),
        ('"net\nElectrician"', ("Network", "Electrician")),
        ('"[""net"", ""Cabin & HVAC""]"', ("Network", "Cabin & HVAC")),
        ("Support::IT::net", ("Network",)),
        ("Facilities > Electrician", ("Electrician",)),
        ("AD\\Network", ("Network",)),
        ("01 - Network", ("Network",)),
        ('"Support > net, 2. Electrician"', ("Network", "Electrician")),
    ],
)
def test_several_roles_in_one_cell(tmp_path: Path, cell: str, roles: tuple[str, ...]) -> None:
    assert kept(read(tmp_path, f"{HEADER}1,Wifi,down,{cell},2025-03-04\n")) == [("1", roles)]


def test_repeated_columns_are_a_list(tmp_path: Path) -> None:
    history = read(tmp_path, "key,summary,Labels,Labels\n1,Wifi,net,Electrician\n2,Wifi,,Electrician\n")
    assert kept(history) == [("1", ("Network", "Electrician")), ("2", ("Electrician",))]
    assert "  role: 'Labels', 2 columns (--role)" in history.form.in_words()


STRAY = [
    '5,"URGENT wifi,down,net,2025-03-06\n',  # to the end of the file
    '5,"URGENT" wifi,down,net,2025-03-06\n',
    '5,"URGENT wifi,down,net,2025-03-06\n6,Wifi 15" pipe,down,net,2025-03-07\n',
    '5,"URGENT wifi,down,net,2025-03-06\n6,Wifi,down,net,2025-03-07\n7,Wifi 15",down,net,2025-03-07\n',
    '5,"URGENT wifi,down,net,2025-03-06\n6,Wifi 15",down,net,2025-03-07\n',
]


@pytest.mark.parametrize("stray", STRAY)
def test_a_stray_quotation_mark_is_told_with_its_line(tmp_path: Path, stray: str) -> None:
    rows = [f"{number},Wifi {number},down,net,2025-03-0{number}\n" for number in range(1, 5)]
    with pytest.raises(BadInput, match=r"history\.csv:6: a quotation mark of this row"):
        read(tmp_path, HEADER + "".join(rows) + stray + "8,Wifi,down,net,2025-03-08\n")


def test_what_is_in_quotation_marks_may_hold_lines_separators_and_more_of_them(tmp_path: Path) -> None:
    body = 'see:\nid, role, net\n1,2,3,net,2025-03-04x\n15"" pipe, a; b'
    (row,) = read(tmp_path, f'{HEADER}1,a 15" pipe,"{body}",net,2025-03-04\n').rows()
    assert (row.subject, row.body) == ('a 15" pipe', body.replace('""', '"'))


QUOTED = {
    "as MySQL and PHP do": '"1","says \\"no\\", then","15\\" pipe","net","2025-03-04"\n',
    "at the end of a cell": '"1","says ""no"", then","15\\" pipe",net,2025-03-04\n',
    "with apostrophes": "'1','says \"no\", then','15\" pipe','net','2025-03-04'\n",
}


@pytest.mark.parametrize("row", QUOTED.values(), ids=QUOTED)
def test_quotation_marks_of_other_programs_are_read(tmp_path: Path, row: str) -> None:
    (read_as,) = read(tmp_path, HEADER + row).rows()
    assert (read_as.subject, read_as.body) == ('says "no", then', '15" pipe')


def test_a_backslash_at_the_end_of_a_cell_is_one(tmp_path: Path) -> None:
    (row,) = read(tmp_path, HEADER + '1,Wifi,"C:\\temp\\",net,2025-03-04\n').rows()
    assert row.body == "C:\\temp\\"


def test_one_id_on_different_tickets_is_no_ticket_at_all(tmp_path: Path) -> None:
    lines = ["A1,Wifi,down,net,2025-03-04", "A1,Light,out,Electrician,2025-03-05", "B,Wifi,,net,2025-03-05"]
    lines += [
        "B,Wifi,,net,2025-03-05",
        "A1,Wifi,down,net,2025-03-04",
        "C,Wifi,,net,2025-03-05",
        "C,Wifi,,Electrician,2025-03-05",
    ]
    history = read(tmp_path, HEADER + "\n".join(lines))
    assert [fault.partition(".csv:")[2].partition(":")[0] for fault in history.faults] == ["2", "3", "7", "8"]
    assert "'A1' is the id of different rows, on lines 2 and 3" in history.faults[0]
    assert kept(history) == [("B", ("Network",))]
    assert history.valid + history.repeated + history.faulty == len(lines)


def test_ids_that_a_spreadsheet_shortened_are_told(tmp_path: Path) -> None:
    history = read(tmp_path, HEADER + "2.02503E+11,Wifi,down,net,2025-03-04\n2E+11,Wifi,down,net,2025-03-04\n")
    assert [fault.partition(".csv:")[2][:1] for fault in history.faults] == ["2", "3"]
    assert "shortened by a spreadsheet" in history.faults[0]
    assert kept(history) == []


@pytest.mark.parametrize(
    ("dates", "order"),
    [
        (("03/04/2025", "13/04/2025"), Dates.DAY_FIRST),
        (("03/04/2025", "04/13/2025"), Dates.MONTH_FIRST),
        (("03/04/2025 5:07 PM", "04/05/2025 6:07 AM"), Dates.MONTH_FIRST),
        (("03/04/2025", "04/05/2025"), Dates.DAY_FIRST),
        (("", " "), Dates.NONE),
    ],
)
def test_the_order_of_day_and_month_is_guessed_from_the_whole_column(
    tmp_path: Path, dates: tuple[str, str], order: Dates
) -> None:
    history = read(tmp_path, HEADER + "".join(f"{at},Wifi,down,net,{at}\n".replace(at, at or " ", 1) for at in dates))
    assert history.form.dates is order


def test_both_orders_in_one_column_are_a_fault_of_the_rarer(tmp_path: Path) -> None:
    history = read(tmp_path, HEADER + "1,Wifi,down,net,13/04/2025\n2,Wifi,down,net,04/13/2025\n")
    assert [fault.partition(".csv:")[2][:1] for fault in history.faults] == ["3"]


def test_without_dates_the_order_of_the_file_counts(tmp_path: Path) -> None:
    history = read(tmp_path, "id,text,label\n9,a,net\n3,b,nonsense\n5,c,net\n7,d,net\n")
    rows = list(history.rows())
    assert [row.id for row in rows] == ["9", "5", "7"]
    assert [row.filed_at for row in rows] == sorted(row.filed_at for row in rows)
    assert len({row.filed_at for row in rows}) == 3
    assert rows[-1].filed_at <= datetime.now(UTC)


@pytest.mark.parametrize("empty", ["NULL", "\\N", "nan", "NaN", "<NA>", "#N/A", "(null)", "#¡REF!", "#NV", "#DIV/0!"])
def test_what_programs_write_for_nothing_is_no_word(tmp_path: Path, empty: str) -> None:
    history = read(
        tmp_path, f"{HEADER}1,Wifi,{empty},net,2025-03-04\n2,Wifi,down,net,{empty}\n3,NULL pointer,,net,2025-03-04\n"
    )
    assert [(row.id, row.subject, row.body) for row in history.rows()] == [("1", "Wifi", ""), ("3", "NULL pointer", "")]
    assert history.faults[0].endswith(":3: no created_at")
    undated = read(tmp_path, f"{HEADER}1,Wifi,down,net,{empty}\n")
    assert kept(undated) == [("1", ("Network",))]


@pytest.mark.parametrize(
    ("cell", "identifier"),
    [
        ("4711.0", "4711"),
        ('"=HYPERLINK(""https://desk.example/4711"",""INC4711"")"', "INC4711"),
        ('"=HYPERLINK(""https://desk.example/4711"";4711)"', "4711"),
        ("1.0.0", "1.0.0"),
        ("4711.5", "4711.5"),
    ],
)
def test_an_id_is_what_people_see(tmp_path: Path, cell: str, identifier: str) -> None:
    history = read(tmp_path, f"{HEADER}{cell},Wifi,down,net,2025-03-04\n")
    assert [row.id for row in history.rows()] == [identifier]


HEADERS = {
    "French": "N°;Objet;Description;Équipe;Date d\u2019ouverture",
    "French without accents": "Numero;Titre;Commentaire;Categorie;Cree le",
    "GLPI": "ID;Titre;Description;Attribué à - Groupe de techniciens;Date d'ouverture",
    "Spanish": "N.º;Asunto;Descripcion;Departamento;Fecha de apertura",
    "Portuguese": "Nº;Título;Descrição;Fila;Data de abertura",
    "Italian": "Numero ticket;Oggetto;Testo;Reparto;Aperto il",
    "Dutch": "Meldingsnummer;Onderwerp;Omschrijving;Behandelgroep;Aanmaakdatum",
    "Polish": "Numer zgłoszenia;Tytuł;Treść;Kolejka;Data utworzenia",
    "Swedish": "Ärendenummer;Ämne;Beskrivning;Avdelning;Skapad",
    "Jira, Spanish": "Clave de incidencia;Resumen;Descripción;Componente/s;Creada",
    "ServiceNow, Spanish": "Número;Descripción breve;Descripción;Grupo de asignación;Creado",
    "Zendesk, Spanish": "ID del ticket;Asunto;Comentario;Grupo;Solicitado",
    "Jira, German": "Vorgangsschlüssel;Zusammenfassung;Beschreibung;Komponente(n);Erstellt",
    "Redmine, German": "#;Thema;Beschreibung;Projekt;Angelegt",
    "Jira, French": "Clé de ticket;Résumé;Description;Composant(s);Création",
    "OTOBO, German": "Ticketnummer;Titel;Artikel;Queue;Erstellzeit",
    "osTicket": "Ticket Number;Subject;Last Message;Department;Date Created",
    "with units": "№;Subject (short);Description [HTML];Team (now);Created (UTC)",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_columns_are_found_in_the_words_of_many_countries(tmp_path: Path, header: str) -> None:
    history = read(tmp_path, f"{header}\r\n7;a;b;net;04.03.2025\r\n")
    assert [(row.id, row.subject, row.body, row.roles, row.filed_at) for row in history.rows()] == [
        ("7", "a", "b", ("Network",), DAY)
    ]


def test_a_column_of_roles_is_found_whatever_its_name(tmp_path: Path) -> None:
    history = read(tmp_path, "id,title,who,group\n1,Wifi,net,East\n2,Light,Electrician,West\n")
    assert history.form.columns.role == "who"


def test_every_guess_can_be_overruled(tmp_path: Path) -> None:
    columns = {"id": "b", "subject": "c", "body": None, "role": "D", "created_at": "e"}
    told = Told(columns, encoding="cp850", separator="tab", dates=Dates.MONTH_FIRST)
    history = read(tmp_path, "a\tb\tc\td\te\n1\t2\tK\x81che\tnet\t03/04/2025\n".encode("latin-1"), told=told)
    (row,) = history.rows()
    assert (row.id, row.subject, row.filed_at) == ("2", "Küche", DAY)
    with pytest.raises(BadInput, match=r"no column where \(--id\); there is a, b, c, d, e"):
        read(tmp_path, "a,b,c,d,e\n", told=Told({"id": "where"}))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PAR1abc", "Parquet"),
        (gzip.compress(b"id,role", mtime=0), "compressed"),
        (b"\xd0\xcf\x11\xe0", "old kind"),
        (b"<html><table><tr><td>id</td></tr></table>", "HTML or XML"),
        (b"PK\x03\x04nothing", "no workbook"),
        (b"", "is empty"),
        (b"id~subject~role\n1~a~net\n", "give --separator"),
        (b"id,subject,role\n", "holds no row"),
        (b"number,team\n1,net\n", "no column for subject or body; there is number, team"),
    ],
)
def test_what_is_no_history_is_told_what_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read(tmp_path, content)


def test_characters_that_no_database_takes_are_replaced(tmp_path: Path) -> None:
    line = '{"id": "1", "subject": "a\\ud83d\\u0000b", "role": "net"}\n'
    (row,) = read(tmp_path, line, "h.jsonl").rows()
    assert row.subject == "a\ufffdb"


def test_a_separator_in_a_text_is_told_with_its_line(tmp_path: Path) -> None:
    history = read(tmp_path, HEADER + "1,Wifi, it is down,again,net,2025-03-04\n2,Wifi,down,net,2025-03-04,,\n\n,,,,\n")
    assert [fault.partition(".csv:")[2] for fault in history.faults] == [
        "2: 6 cells, where the header names 5: a ',' in a text?"
    ]
    assert kept(history) == [("2", ("Network",))]


def test_unknown_roles_are_counted_and_not_listed_row_by_row(tmp_path: Path) -> None:
    rows = [f"{n},s{n},b,{'Netwrok' if n % 3 else 'Cellar'}" for n in range(300)]
    history = read(tmp_path, "\n".join(["id,subject,body,role", *rows, "300,s,b,Network"]))
    assert (history.valid, history.faulty) == (1, 300)
    title, *names = history.faults
    assert title.endswith("history.csv: no roles, so that rows are faulty (name them in roles.toml, or as aliases):")
    assert names == [
        "  'Netwrok': 200 rows, first on line 3; did you mean Network?",
        "  'Cellar': 100 rows, first on line 2",
    ]


def test_labels_beside_roles_are_left_out_and_told(tmp_path: Path) -> None:
    lines = [
        "key,summary,Labels,Labels",
        "1,Wifi,net,vip",
        '2,Wifi,"vip, net; 2nd floor",',
        "3,Wifi,vip,",
        "4,Wifi,net,",
    ]
    history = read(tmp_path, "\n".join(lines))
    assert kept(history) == [("1", ("Network",)), ("2", ("Network",)), ("4", ("Network",))]
    assert history.faults[1] == "  'vip': 1 row, first on line 4"
    assert history.faults[2].endswith("history.csv: no roles, and left out beside the roles of their rows:")
    assert history.faults[3:] == ("  'vip': 2 rows, first on line 2", "  '2nd floor': 1 row, first on line 3")


def test_a_role_misspelt_beside_another_makes_its_row_faulty(tmp_path: Path) -> None:
    history = read(tmp_path, "id,subject,role\n1,Wifi,net; Electrican\n2,Wifi,net\n")
    assert (kept(history), history.faulty) == ([("2", ("Network",))], 1)
    assert history.faults[1] == "  'Electrican': 1 row, first on line 2; did you mean Electrician?"


HEADER_OF_A_REPORT = {
    "excel saved as CSV": (
        "Service Desk, Auswertung;;;;\r\nStand: 04.03.2025;Gruppe: alle;;;\r\n;;;;\r\n"
        "Ticketnummer;Betreff;Beschreibung;Gruppe;Erstellt am\r\n1;Wifi;down, again;net;04.03.2025\r\n",
        4,
    ),
    "titles of one cell": (
        "Tickets, March 2025\n\nid\tsubject\tbody\trole\tcreated_at\n1\tWifi\tdown\tnet\t2025-03-04\n",
        3,
    ),
    "names that are told": ('"A report,\nof us",for,you,a,b\nNr.,Was,Text,Wer,Wann\n1,Wifi,down,net,2025-03-04\n', 3),
}


@pytest.mark.parametrize("report", HEADER_OF_A_REPORT)
def test_titles_above_the_header_are_no_rows(tmp_path: Path, report: str) -> None:
    content, line = HEADER_OF_A_REPORT[report]
    names = {"id": "Nr.", "subject": "Was", "body": "Text", "role": "Wer", "created_at": "Wann"}
    history = read(tmp_path, content, told=Told(names if report == "names that are told" else {}))
    (row,) = history.rows()
    assert (row.id, row.subject, row.roles, row.filed_at) == ("1", "Wifi", ("Network",), DAY)
    assert f"header on line {line} " in next(history.form.in_words())
    assert [found.line for found in history.form.rows()] == [line + 1]


def test_the_error_without_any_header_is_about_the_widest_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no column for role; there is number, subject, text"):
        read(tmp_path, "A report\n\nnumber,subject,text\n1,Wifi,down\n")


def test_texts_that_were_decoded_wrongly_before_are_told_of(tmp_path: Path) -> None:
    words = list(read(tmp_path, "id,subject,role\n1,TÃ¼r klemmt,Network\n").form.in_words())
    assert "  'TÃ¼r' was meant to be 'Tür': export again as UTF-8, or no rule finds such words" in words
    assert not any("meant" in line for line in read(tmp_path, "id,subject,role\n1,Tür,Network\n").form.in_words())
