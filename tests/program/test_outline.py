"""A program as sentences."""

from setia.program.campaigns import Campaign
from setia.program.outline import outline, sentence
from setia.program.templates import load_template


def test_each_campaign_has_a_sentence() -> None:
    found = dict(outline(load_template("coffee-stars")))
    assert found["happy_hour"] == (
        "On purchase, on tue, between 14:00 and 17:00: multiply base by 2 (stars only), at most 1 times a day a member."
    )
    assert found["welcome"] == "On member enrolled: earn 50 stars."


def test_all_effects_are_said() -> None:
    campaign = Campaign.model_validate(
        {
            "on": ["visit", "purchase"],
            "enabled": False,
            "schedule": {"starts": "2026-01-01", "ends": "2026-01-31"},
            "when": "true",
            "lines": "line.quantity > 1",
            "earn": {"stars": {"expression": "event.total"}},
            "deduct": {"stars": "1 per unit"},
            "set": {"city": '"Bonn"'},
            "tag": ["a"],
            "untag": ["b"],
            "tier": {"status": "gold"},
            "effect": {"name": "gate"},
            "limits": [{"in_all": "5 stars"}],
            "group": "one",
            "exclusive": True,
        }
    )
    assert sentence(campaign) == (
        "(Switched off) On visit or purchase, from 2026-01-01, until 2026-01-31, if true: earn event.total stars; "
        'deduct 1 stars per unit; set city to "Bonn"; add the tag a; remove the tag b; set status to gold; '
        "tell the caller gate, counting lines where line.quantity > 1, at most 5 stars ever in all, "
        "as one of the group one, and nothing else with it."
    )
    always = Campaign.model_validate({"on": "visit", "earn": {"stars": 1}, "always": True})
    assert sentence(always) == "On visit: earn 1 stars, beside exclusive ones too."
