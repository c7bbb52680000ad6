"""What a file is encoded in is found out by its bytes, else by its letters."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import BadInput
from agent.tabular.code_pages import unscrambled
from agent.tabular.encoding import encoding_of

TEXTS = [
    ("cp1252", "refund my invoice,Qualität"),
    ("cp1252", "1,Fuite d'eau,Il y a de l'eau à côté du réfrigérateur, très gênant"),
    ("cp1252", "Señal perdida; la conexión no funciona mañana"),
    ("cp1252", "La stampante non è più disponibile perché venerdì"),
    ("cp1252", "Døren kan ikke åbnes"),
    ("cp1252", "“smart quotes” – don’t worry, €5"),
    ("cp1250", "Zażółć gęślą jaźń, nie działa drukarka"),
    ("cp1250", "Nefunguje tiskárna v přízemí, světlo je rozbité"),
    ("cp1250", "A nyomtató nem működik, a fűtés elromlott"),
    ("cp1251", "Не работает принтер на втором этаже"),
    ("cp1251", "ПРИНТЕР НЕ РАБОТАЕТ"),
    ("koi8_r", "Не работает принтер"),
    ("cp1253", "Δεν λειτουργεί ο εκτυπωτής στον δεύτερο όροφο"),
    ("cp1254", "Yazıcı çalışmıyor, ışık yanmıyor, kapı açılmıyor"),
    ("cp1255", "המדפסת לא עובדת בקומה השנייה"),
    ("cp1256", "الطابعة لا تعمل في الطابق الثاني"),
    ("cp1257", "Neveikia spausdintuvas antrame aukšte, šviesa sugedo, žiūrėkite"),
    ("cp932", "プリンターが動きません。二階です"),
    ("cp949", "프린터가 작동하지 않습니다 이층"),
    ("gb18030", "1,漏油,液压泵漏油"),
    ("big5", "印表機壞了，在二樓"),
    ("cp850", "Die Küche läuft über"),
    ("mac_roman", "Die Küche läuft über, Größe"),
    ("utf-8", "Öl läuft"),
    ("utf-8-sig", "Öl läuft"),
    ("utf-16", "Öl läuft"),
    ("utf-16-le", "id;rolle;text\n1;Öl;läuft 漏油\n"),
    ("utf-16-be", "id;rolle;text\n1;Öl;läuft 漏油\n"),
    ("utf-32", "Öl läuft"),
]


@pytest.mark.parametrize(("written", "text"), TEXTS)
@pytest.mark.parametrize("lines", [1, 30])
def test_one_line_is_enough(tmp_path: Path, written: str, text: str, lines: int) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes(f"{text}\r\n".encode(written) * (lines if written not in ("utf-16", "utf-32", "utf-8-sig") else 1))
    found = encoding_of(file)
    assert file.read_bytes().decode(found.codec).splitlines()[0] == text.splitlines()[0]
    assert found.broken == 0


def test_a_broken_character_does_not_make_it_another_encoding(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes("Öl läuft, Größe ä\n".encode() * 3 + b"caf\xe9\n")
    found = encoding_of(file)
    assert (found.codec, found.broken) == ("utf-8-sig", 1)
    assert str(found) == "UTF-8, with 1 broken character, read as \ufffd"


def test_what_the_operator_says_counts(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes("Öl".encode("cp1252"))
    assert encoding_of(file, "cp850").codec == "cp850"
    assert encoding_of(file, "UTF8").broken == 1
    with pytest.raises(BadInput, match="no encoding 'klingon'"):
        encoding_of(file, "klingon")


@pytest.mark.parametrize(
    ("word", "meant"), [("TÃ¼r", "Tür"), ("donâ€™t", "don’t"), ("FranÃ§ois", "François"), ("Â°C", "°C")]
)
def test_a_word_that_was_decoded_wrongly_before_is_found_and_what_it_was(word: str, meant: str) -> None:
    assert unscrambled(word) == meant


@pytest.mark.parametrize("word", ["Tür", "SÃO", "â", "château", "漏油", "100Â", "plain", "â€"])
def test_a_word_that_is_as_it_was_written_is_left_alone(word: str) -> None:
    assert unscrambled(word) is None
