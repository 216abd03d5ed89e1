"""What stands behind a telling name: a secret, or something that somebody wrote."""

from __future__ import annotations

import pytest

from detectors.privacy.randomness import entropy, password, random_value


@pytest.mark.parametrize(
    "written",
    [
        'api_key = "k9Jd83hfKs02lqPz7TnW',
        "secret_key: 5f4dcc3b5aa765d61d8327deb882cf99",
        "client-secret => Zx8_p2Lm4Qa7Rt1Vb9Nc",
        "Authorization: Bearer abc9def8ghi7jkl6mno5",
        "password: Tr0ub4dor&3x",
        "pwd=Xk29s!aa",
    ],
)
def test_a_random_value_is_found_where_it_stands(written: str) -> None:
    place = random_value(written)
    assert place is not None
    assert written[place[0] - 1] in "\"' =:"
    assert place[1] == len(written)


@pytest.mark.parametrize(
    "written",
    [
        "api_key = YOUR_API_KEY_HERE_12345",
        "token=550e8400-e29b-41d4-a716-446655440000",
        "token = self.settings.token2value",
        "token = {{ secrets.TOKEN_1 }}",
        "secret: ${VAULT_SECRET_9a8b7c6d}",
        "password: required",
        "password = get_password(user1)",
        "api_key: aaaaaaaaaaaaaaaaaaaaa1",
        "secret_key: the-quick-brown-fox-jumps",
        "token: 1234567890123456789",
        "nothing is assigned here",
    ],
)
def test_what_somebody_wrote_is_no_secret(written: str) -> None:
    assert random_value(written) is None


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("postgres://bob:hunter2x@", "hunter2x"),
        ("https://:s3cr3tpw@", "s3cr3tpw"),
        ("Server=db;User Id=sa;Password=Xk29s!aa", "Xk29s!aa"),
        ("mongodb://user:password@", None),
        ("https://user:${PASSWORD}@", None),
        ("ftp://you:your-password@", None),
        ("postgres://user:…@", None),
        ("no address", None),
    ],
)
def test_the_password_of_an_address_is_found_unless_it_is_an_example(written: str, found: str | None) -> None:
    place = password(written)
    assert (place and written[place[0] : place[1]]) == found


def test_entropy_is_in_bits_a_character() -> None:
    assert entropy("aaaa") == 0
    assert entropy("abab") == 1
    assert entropy("0123456789abcdef") == 4
