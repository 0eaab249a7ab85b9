"""Tokens go into the header the platform wants, and nowhere else."""

import pytest

from autoscaler.adapters.http.credentials import authorization, quotable
from autoscaler.domain.errors import ConfigurationError


@pytest.mark.parametrize(
    ("token", "header"),
    [
        ("fm2_abc", "FlyV1 fm2_abc"),
        ("FlyV1 fm2_abc", "FlyV1 fm2_abc"),
        ("Bearer FlyV1 fm2_abc", "FlyV1 fm2_abc"),
        ("Bearer fm1r_abc", "FlyV1 fm1r_abc"),
        ("  fm2_a,fm2_b ,fm1a_c\n", "FlyV1 fm2_a,fm2_b,fm1a_c"),
        ("fo1_abc", "Bearer fo1_abc"),
        ("bearer abc.def", "Bearer abc.def"),
        ("Bearerabc", "Bearer Bearerabc"),
    ],
)
def test_the_scheme_follows_the_token(token: str, header: str) -> None:
    assert authorization(token) == header


@pytest.mark.parametrize("token", ["", "   ", "Bearer ", "a b", "tök", "a\nb", "a\x00b"])
def test_what_cannot_be_a_header_is_a_fault_that_does_not_repeat_it(token: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        authorization(token)
    assert str(caught.value) == (
        "token: is empty or contains what no token has; set it again, exactly as it was issued"
    )


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("plain\n  words", "plain words"),
        ("token s3cret, refused", "token ***, refused"),
        ("token fm2_somebodyelses refused", "token *** refused"),
        ("Authorization: Bearer other.token", "Authorization: ***"),
        ("connecting to https://me:pass@host/x", "connecting to https://***host/x"),
        ("bad \ud800 \x1b[31mred\x07\u202e", "bad \ufffd \ufffd[31mred\ufffd\ufffd"),
        ("zeichenfähig 🙂", "zeichenfähig 🙂"),
        ("x" * 301, "x" * 297 + "..."),
        ("x" * 300, "x" * 300),
    ],
)
def test_quotations_are_short_and_clean(text: str, quoted: str) -> None:
    assert quotable(text, "Bearer s3cret") == quoted


def test_every_part_of_a_joined_token_is_kept_out() -> None:
    assert quotable("fm_a then fm_b", "FlyV1 fm_a,fm_b") == "*** then ***"
