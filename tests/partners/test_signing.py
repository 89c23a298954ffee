"""Keys and signatures of partners."""

import base64
import hmac

from hypothesis import given
from hypothesis import strategies as st

from setia.partners.signing import PartnerKeys, content

KEYS = PartnerKeys(b"secret")


def test_keys_differ_by_installation_program_partner_and_number() -> None:
    told = {
        keys.told(program, partner, number)
        for keys in (KEYS, PartnerKeys(b"other"))
        for program in (1, 11)
        for partner in ("A", "1 A")
        for number in (1, 11)
    }
    assert len(told) == 16
    assert all(one.startswith("whsec_") and len(base64.b64decode(one[6:])) == 32 for one in told)


@given(st.integers(1, 50), st.binary(max_size=50))
def test_a_message_carries_the_signature_of_this_key_and_of_the_one_before(number: int, body: bytes) -> None:
    signed = content("msg_1", 17, body)
    assert signed == b"msg_1.17." + body
    expected = [
        "v1," + base64.b64encode(hmac.digest(KEYS.key(1, "A", one), signed, "sha256")).decode()
        for one in (number, number - 1)
        if one
    ]
    assert KEYS.signature(1, "A", number, signed).split(" ") == expected
