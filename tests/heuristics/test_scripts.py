"""Keywords find their words in every script, and no others."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from heuristics import Rule, RuleSet
from heuristics.words import tokenise

TODAY = date(2024, 5, 17)


def phrases(keyword: str, text: str) -> list[str]:
    return [hit.phrase for hit in RuleSet([Rule("r", "Role", keywords=(keyword,))]).match("", text, TODAY)]


@pytest.mark.parametrize(
    ("keyword", "text", "found"),
    [
        pytest.param("öl", "Das Öl läuft aus, O\u0308L!", ["Öl", "O\u0308L"], id="German, decomposed letters too"),
        pytest.param("öl", "Ölung und Möller", [], id="German, parts of words"),
        pytest.param("*drucker", "Laserdrucker und Drucker, Druckerpapier", ["Laserdrucker", "Drucker"], id="compound"),
        pytest.param("*pumpe*", "Hydraulikpumpenlager", ["Hydraulikpumpenlager"], id="inside a compound"),
        pytest.param("huile", "Fuite d’huile, l'huile", ["huile", "huile"], id="French, elided article"),
        pytest.param("fuite d'huile", "FUITE D’HUILE", ["FUITE D’HUILE"], id="French, apostrophe in the keyword"),
        pytest.param("électricité", "panne d'e\u0301lectricité", ["e\u0301lectricité"], id="French, decomposed"),
        pytest.param("yazıcı", "YAZICI ÇALIŞMIYOR", ["YAZICI"], id="Turkish, dotless i"),
        pytest.param("internet", "İNTERNET YOK", ["İNTERNET"], id="Turkish, dotted capital i"),
        pytest.param("VPN", "VPN'e bağlanamıyorum", ["VPN"], id="Turkish, ending behind an apostrophe"),
        pytest.param("漏油", "液压泵严重漏油。", ["漏油"], id="Chinese"),
        pytest.param("漏油", "漏\n油", ["漏\n油"], id="Chinese, broken by a line"),
        pytest.param("电池", "电动水池", [], id="Chinese, the same signs apart"),
        pytest.param("バッテリー", "バッテリーが切れた", ["バッテリー"], id="Japanese"),
        pytest.param("バッテリー", "ﾊﾞｯﾃﾘｰ交換", ["ﾊﾞｯﾃﾘｰ"], id="Japanese, narrow letters"),
        pytest.param("USBケーブル", "usbケーブル破損", ["usbケーブル"], id="Japanese beside Latin"),
        pytest.param("펌프", "유압펌프가 고장났습니다", ["펌프"], id="Korean, compound and ending"),
        pytest.param("पानी", "पंप से पानी रिस रहा है", ["पानी"], id="Hindi"),
        pytest.param("पानी", "पुराना पंप, पन्ना", [], id="Hindi, the same consonants with other vowels"),
        pytest.param("طابعة", "الطابعة لا تعمل، طَابِعـــة", ["طَابِعـــة"], id="Arabic, vowel signs and stretching"),
        pytest.param("*طابعة", "الطابعة لا تعمل", ["الطابعة"], id="Arabic, article"),
        pytest.param("أحمد", "احمد", ["احمد"], id="Arabic, alef without hamza"),
        pytest.param("می\u200cخواهم", "میخواهم", ["میخواهم"], id="Persian, joiner left out"),
        pytest.param("насос", "НАСОС течёт", ["НАСОС"], id="Russian"),
        pytest.param("ปั๊ม", "ปั๊มรั่ว", ["ปั๊ม"], id="Thai"),
        pytest.param("urgent", "_urgent_", ["urgent"], id="underlined"),
        pytest.param("b", "a_b", ["b"], id="joined by an underscore"),
        pytest.param("a_b", "A_B, a-b", ["A_B", "a-b"], id="underscore in the keyword"),
        pytest.param("won't start", "WON’T START", ["WON’T START"], id="English contraction"),
        pytest.param("printer", "the printer's tray", ["printer's"], id="English genitive"),
        pytest.param("can", "can't", [], id="English negation"),
    ],
)
def test_a_keyword_finds_its_words_in_its_script(keyword: str, text: str, found: list[str]) -> None:
    assert phrases(keyword, text) == found


@pytest.mark.parametrize("end", ["。", "！", "؟ ", "। "])
def test_sentences_of_other_scripts_end_the_reach_of_a_negation(end: str) -> None:
    rule = Rule("r", "Role", keywords=("pump",), negation=("no _",))
    assert RuleSet([rule]).match("", "no pump", TODAY) == ()
    assert RuleSet([rule]).match("", f"no {end}pump", TODAY)


@pytest.mark.parametrize("text", ["漏" * 30_000, "a\u0301" * 30_000, "a'" * 30_000, "a/" * 30_000, "\u0301" * 60_000])
def test_a_hostile_text_is_cut_to_its_end(text: str) -> None:
    tokens = tokenise(text + " end")
    assert tokens[-1].form == "end"
    assert all(one.end <= other.start for one, other in pairwise(tokens))
