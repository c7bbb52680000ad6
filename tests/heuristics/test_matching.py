"""What rules find in a ticket, and what their findings add up to."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heuristics import Hit, Kind, Rule, RuleSet, Scope, leading_role, tally, vetoed
from heuristics.patterns import MAX_MATCHES, PatternIndex
from heuristics.rules import MAX_HITS

TODAY = date(2024, 5, 17)
HOSTILE = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("aA/.& '’_\n-")), max_size=300)


def phrases(rule: Rule, subject: str, body: str = "", on: date = TODAY) -> list[str]:
    return [hit.phrase for hit in RuleSet([rule]).match(subject, body, on)]


def keyword(*words: str, **settings: object) -> Rule:
    return Rule("r", "Role", keywords=words, **settings)  # type: ignore[arg-type]  # settings are a Rule's own


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("leak", "OIL LEAK.", ["LEAK"]),
        ("leak", "oil leaks badly", ["leaks"]),
        ("leak", "bleak outlook", []),
        ("leak*", "it is leaking, it leaked", ["leaking", "leaked"]),
        ("batteries", "flat battery", ["battery"]),
        ("battery", "FLAT BATTERIES", ["BATTERIES"]),
        ("switch", "two switches", ["switches"]),
        ("hoses", "hose", ["hose"]),
        ("tap", "tape", []),
        ("mixed", "mix, mixeds", ["mixeds"]),
        ("bus", "busses and bus", ["bus"]),
        ("A/C", "a/c, AC, A.C. and a c", ["a/c", "AC", "A.C"]),
        ("ac", "rf-A/C fault", ["A/C"]),
        ("won't start", "engine WONT START", ["WONT START"]),
        ("won't start", "engine won’t start", ["won’t start"]),
        ("air con*", "AIR CONDITIONER and air-con", ["AIR CONDITIONER", "air-con"]),
        ("Wi-Fi", "WIFI, wi-fi and Wi Fi, no Wifis", ["WIFI", "wi-fi", "Wi Fi", "Wifis"]),
        ("e-mail", "my emails", ["emails"]),
        ("email", "my e-mail", []),
        ("A-4 tray", "A4 tray", []),
        ("straße", "In der STRASSE", ["STRASSE"]),
        ("grease line", "grease the line", []),
        ("no power", "no power in room 4", ["no power"]),
    ],
)
def test_a_keyword_finds_whole_words_whatever_their_case_number_and_punctuation(
    word: str, text: str, found: list[str]
) -> None:
    assert phrases(keyword(word), text) == found


def test_overlapping_hits_of_different_rules_are_all_found() -> None:
    rules = RuleSet(
        [
            Rule("bucket", "Bucket", keywords=("bucket",)),
            Rule("cylinder", "Hydraulics", keywords=("bucket cylinder",)),
            Rule("ram", "Hydraulics", patterns=(r"cylinder \d+",)),
            Rule("any", "Other", patterns=(r"b\w+t cyl",)),
        ]
    )
    hits = rules.match("", "Bucket cylinder 12 leaks", TODAY)
    assert {(hit.rule_id, hit.phrase, hit.start, hit.end) for hit in hits} == {
        ("bucket", "Bucket", 0, 6),
        ("cylinder", "Bucket cylinder", 0, 15),
        ("ram", "cylinder 12", 7, 18),
        ("any", "Bucket cyl", 0, 10),
    }
    assert {hit.field for hit in hits} == {Scope.BODY}


def test_a_rule_reads_only_its_part_of_the_ticket() -> None:
    assert phrases(keyword("vpn", scope=Scope.SUBJECT), "vpn", "VPN") == ["vpn"]
    assert phrases(keyword("vpn", scope=Scope.BODY), "vpn", "VPN") == ["VPN"]
    assert phrases(keyword("vpn"), "vpn", "VPN") == ["vpn", "VPN"]


def test_a_rule_applies_on_its_first_and_last_day_and_not_beside_them() -> None:
    rule = keyword("vpn", active_from=date(2024, 3, 1), active_until=date(2024, 3, 31))
    days = [date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 31), date(2024, 4, 1)]
    assert [bool(phrases(rule, "vpn", on=day)) for day in days] == [False, True, True, False]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("add-ons crash", True),
        ("crashes with add-ons disabled", False),
        ("crashes with add-ons all switched disabled", False),
        ("add-ons one two three four disabled", True),
        ("disabled add-ons crash", True),
        ("happens without any add-ons", False),
        ("not the add-ons", False),
        ("the add-ons do not load", True),
        ("It does not start. Add-ons are broken", True),
        ("it does not start, but add-ons are broken", True),
        ("no sound\n\nadd-ons vanish", True),
        ("no\nadd-ons", False),
    ],
)
def test_a_negating_phrase_cancels_a_hit_on_its_side_near_by_and_in_its_clause(text: str, found: bool) -> None:
    rule = keyword("add-ons", negation=("no _", "not _", "without _", "_ disabled"))
    assert bool(phrases(rule, text)) is found
    assert bool(phrases(Rule("p", "Role", patterns=(r"add-on(s)?",), negation=rule.negation), text)) is found


def test_a_negating_phrase_without_a_side_works_on_both() -> None:
    rule = keyword("add-ons", negation=("disabled",))
    assert phrases(rule, "disabled add-ons") == phrases(rule, "add-ons disabled") == []


def test_a_negating_word_inside_the_hit_does_not_cancel_it() -> None:
    assert phrases(keyword("no power", negation=("no _",)), "no power") == ["no power"]


def test_votes_add_up_per_role_and_a_rule_counts_once() -> None:
    rules = RuleSet(
        [
            Rule("a", "X", weight=0.5, keywords=("alpha",)),
            Rule("b", "X", weight=0.25, keywords=("beta",)),
            Rule("c", "Y", weight=2.0, keywords=("gamma",)),
            Rule("d", "Y", Kind.VETO, weight=0.0, keywords=("delta",)),
        ]
    )
    hits = rules.match("alpha alpha beta", "alpha gamma delta", TODAY)
    assert tally(hits) == {"Y": 2.0, "X": 0.75}
    assert list(tally(hits)) == ["Y", "X"]
    assert vetoed(hits) == {"Y"}
    assert leading_role(hits) == "X"


def test_no_role_leads_without_votes_or_when_the_lead_is_shared() -> None:
    assert leading_role([]) is None
    hits = [Hit(role, role, Kind.VOTE, 1.0, Scope.BODY, 0, 1, "x") for role in ("X", "Y")]
    assert leading_role(hits) is None


def test_the_version_follows_the_rules_content_not_their_order() -> None:
    one, two = keyword("vpn"), Rule("s", "Role", patterns=("x",))
    assert RuleSet([one, two]).version == RuleSet([two, one]).version
    assert RuleSet([one]).version != RuleSet([keyword("vpn", weight=1.5)]).version


def test_hits_are_bounded_for_a_text_that_repeats_itself() -> None:
    hits = RuleSet([keyword("leak"), Rule("p", "Role", patterns=("l.ak",))]).match("", "leak " * 5_000, TODAY)
    assert len(hits) == 2 * MAX_HITS


def test_a_pattern_that_makes_backtracking_engines_hang_answers_at_once() -> None:
    rules = RuleSet([Rule("evil", "Role", patterns=("(a+)+$", "(x|x)*y", "(.*)*end"))])
    assert rules.match("", "a" * 100_000 + "!", TODAY) == ()


def test_many_patterns_are_all_found_even_where_two_use_the_same_group_name() -> None:
    rules = RuleSet(Rule(str(n), "Role", patterns=(rf"(?P<code>e{n})\b", f"{'x' * (n + 1)}y")) for n in range(100))
    hits = rules.match("E7 and e93", "x" * 40 + "y", TODAY)
    assert {hit.rule_id for hit in hits if hit.field is Scope.SUBJECT} == {"7", "93"}
    assert {hit.rule_id for hit in hits if hit.field is Scope.BODY} == {str(n) for n in range(40)}


def test_a_pattern_whose_every_match_reads_to_the_end_is_stopped_after_a_number_of_matches() -> None:
    assert len(phrases(Rule("slow", "Role", patterns=("a(.*z)?",)), "", "a" * 200_000)) == MAX_HITS
    assert len(list(PatternIndex([(0, "a(.*z)?")]).find("a" * 200_000))) == MAX_MATCHES


@given(HOSTILE, HOSTILE)
def test_any_text_is_matched_and_each_hit_quotes_it(subject: str, body: str) -> None:
    rules = RuleSet(
        [
            Rule("k", "Role", keywords=("a", "A/C", "a*"), negation=("no _",)),
            Rule("p", "Role", patterns=(r"[^\s]{2,}", "ä|é"), negation=("a",)),
        ]
    )
    for hit in rules.match(subject, body, TODAY):
        text = subject if hit.field is Scope.SUBJECT else body
        assert 0 <= hit.start < hit.end <= len(text)
        assert text[hit.start : hit.end] == hit.phrase


def test_characters_that_utf8_cannot_hold_do_not_shift_spans() -> None:
    assert [
        (hit.start, hit.phrase)
        for hit in RuleSet([Rule("p", "R", patterns=("leak",))]).match("\ud800é leak", "", TODAY)
    ] == [(3, "leak")]
