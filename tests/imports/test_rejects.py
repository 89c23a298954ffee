"""Files of refused rows: repaired, they are imported with the map of the original."""

import json

import pytest

from import_world import MAP, Shop


@pytest.mark.parametrize(
    ("file", "header"),
    [
        ("{format: csv, delimiter: ';', quote: \"'\", encoding: cp1252}", "id;who;at;amount\n"),
        ("{format: csv, delimiter: ';', quote: \"'\", encoding: cp1252, columns: [id, who, at, amount]}", ""),
    ],
)
def test_a_repaired_file_is_read_with_the_same_map(shop: Shop, file: str, header: str) -> None:
    # given a file with semicolons, quotes of its own and letters of an old encoding
    form = MAP.replace("{format: csv}", file) + "set_aside: {cancelled: row.id.startsWith('C')}\n"
    content = header + "1;'zo;\u00eb';2026-01-01;three\n2;b\u00f6b;2026-01-01;1\nC3;b\u00f6b;2026-01-01;x\n"
    refused, aside = shop.folder / "refused.csv", shop.folder / "aside.csv"
    told = shop.rows(content.encode("cp1252"), form, refused=refused, set_aside=aside)
    assert told == {
        "read": 3,
        "imported": 1,
        "set_aside": {"cancelled": {"rows": 1, "matched": 1}},
        "refused": {"not_a_number": 1},
    }
    assert refused.read_text("cp1252").splitlines()[1].startswith("1;'zo;\u00eb';2026-01-01;three;1;")

    # when what was refused and what was set aside is repaired
    repaired = refused.read_bytes().replace(b";three;", b";3;")
    taken_up = aside.read_bytes().replace(b"C3;", b"3;").replace(b";x;", b";2;")

    # then the same map reads both, as rows of the columns they had
    again = shop.folder / "again.jsonl"
    assert shop.rows(repaired, form) == {"read": 1, "imported": 1}
    assert shop.rows(taken_up, form) == {"read": 1, "imported": 1}
    assert shop.purchases() == [("1", "decided", "300"), ("2", "decided", "100"), ("3", "decided", "200")]

    # and what is refused once more is written with its new reason alone
    assert shop.rows(refused.read_bytes(), form, refused=again) == {"read": 1, "refused": {"not_a_number": 1}}
    assert list(json.loads(again.read_text())["original"]) == ["id", "who", "at", "amount"]
