"""The templates are complete and clean."""

import pytest

from setia.program.lint import lint
from setia.program.names import Text
from setia.program.templates import load_template, names, template_files, template_folder
from setia.program.yaml_text import load


def test_there_are_two() -> None:
    assert names() == ["coffee-stars", "shop-cashback"]


@pytest.mark.parametrize("name", names())
def test_they_have_no_findings(name: str) -> None:
    assert lint(load(template_folder(name))) == []


@pytest.mark.parametrize("name", names())
def test_every_text_is_in_three_languages(name: str) -> None:
    program = load_template(name)
    texts = [program.program.name, program.program.description]
    for part in (program.points, program.events, program.locations, program.campaigns, program.members.attributes):
        texts += [entry.name for entry in part.values()]
    texts += [level.name for tier_set in program.tiers for level in tier_set.levels]
    assert [text for text in texts if not isinstance(text, Text) or set(text.root) != {"en", "de", "ms"}] == []


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(KeyError, match="there is no template 'coffee'; there are coffee-stars, shop-cashback"):
        template_files("coffee")
