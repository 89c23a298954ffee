"""What lint says about offers: where nothing can count, and amounts no currency has."""

import pytest

from setia.program.lint import compile_check, lint
from setia.program.yaml_text import load

HEAD = "program: {id: x, name: X, currency: EUR}\npoints: {stars: {}}\ncampaigns:\n"


def findings(campaign: str) -> list[tuple[str, int, int]]:
    found = lint(load(f"{HEAD}  o: {{{campaign}, earn: {{stars: 1}}}}\n"))
    return [(f"{one.severity}:{one.code}", one.line, one.column) for one in found]


@pytest.mark.parametrize(
    ("campaign", "expected"),
    [
        ("on: visit, offer: {progress: {spend: 5}}", [("error:offer_never_counts", 4, 37)]),
        ("on: visit, offer: {progress: {orders: 5}}", [("error:offer_never_counts", 4, 37)]),
        ("on: visit, offer: {progress: {units: 5}}", [("error:offer_never_counts", 4, 37)]),
        ("on: visit, offer: {progress: {items: [a]}}", [("error:offer_never_counts", 4, 37)]),
        ("on: purchase, offer: {progress: {visits: 5}}", [("error:offer_never_counts", 4, 40)]),
        ("on: purchase, offer: {progress: {spend: 5.005}}", [("error:amount_too_fine", 4, 47)]),
        ("on: [purchase, visit], offer: {progress: {spend: 5}}", []),
        ("on: [purchase, visit], offer: {progress: {visits: 5}}", []),
        ("on: visit, offer: {progress: {events: 5}}", []),
        ("on: offer_activated, offer: {progress: {events: 3}}", []),
        ("on: purchase, offer: {for: everybody, progress: {units: 5}, repeat: always}", []),
    ],
)
def test_findings(campaign: str, expected: list[tuple[str, int, int]]) -> None:
    assert findings(campaign) == expected


def test_the_finding_says_what_to_do() -> None:
    program = load(f"{HEAD}  o: {{on: visit, offer: {{progress: {{spend: 5}}}}, earn: {{stars: 1}}}}\n").require()
    [finding] = compile_check(program)
    assert (finding.path, finding.hint) == ("/campaigns/o/offer/progress/spend", "use `on: purchase`")
    assert (
        finding.message == "nothing counts for it: `spend` is counted by purchases, and the campaign starts on others"
    )


@pytest.mark.parametrize("event", ["offer_assigned", "offer_activated"])
def test_expressions_may_read_which_offer_it_is(event: str) -> None:
    campaign = "when: 'event.data.offer == \"a\"'"
    assert findings(f"on: {event}, {campaign}") == []
    assert findings(f"on: {event}, when: event.data.ofer == 1")[0][0] == "error:expression"


def test_the_names_of_the_events_are_taken() -> None:
    found = lint(load(HEAD + "  o: {on: visit, earn: {stars: 1}}\nevents: {offer_assigned: {}}\n"))
    assert [one.code for one in found] == ["bad_value"]
