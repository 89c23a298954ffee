"""Cursors and languages."""

import pytest

from setia.api.languages import preferred
from setia.api.pages import WrongCursor, cut, read_cursor, write_cursor


def test_a_cursor_is_read_back_by_its_list_only() -> None:
    cursor = write_cursor("versions", 7)
    assert read_cursor("versions", cursor, int) == [7]
    assert read_cursor("versions", None, int) is None
    with pytest.raises(WrongCursor):
        read_cursor("members", cursor, int)
    with pytest.raises(WrongCursor):
        read_cursor("versions", cursor, int, int)


def test_a_page_is_cut_where_more_follows() -> None:
    assert cut([1, 2, 3], 2, str) == ([1, 2], "2")
    assert cut([1, 2], 2, str) == ([1, 2], None)
    assert cut([], 2, str) == ([], None)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("de", "de"),
        ("de-AT,en;q=0.5", "de"),
        ("fr, ms;q=0.3, de;q=0.8", "de"),
        ("de;q=0, ms;q=0.1", "ms"),
        ("*, nonsense;;, fr", "en"),
        ("en;q=0.5, de;q=0.5", "en"),
    ],
)
def test_the_best_liked_language_is_taken(header: str | None, language: str) -> None:
    assert preferred(header, ("en", "de", "ms"), "en") == language
