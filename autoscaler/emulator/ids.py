"""Identifiers that look like the platform's and repeat with the seed."""

import base64
import hashlib
import random

_TO_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_EPOCH_MS = 1_767_225_600_000
_MOODS = ("aged", "bold", "calm", "damp", "eager", "fancy", "gentle", "icy", "jolly", "kind", "odd", "proud")
_THINGS = ("brook", "cloud", "dawn", "fire", "glade", "leaf", "moon", "pine", "river", "sky", "wind", "wood")


class Identifiers:
    """A seeded stream of names, ids and versions.

    The time part of a ULID counts identifiers instead of milliseconds, so that it sorts by age and
    still repeats when the same requests arrive at another moment.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"ids:{seed}")  # noqa: S311 - repeatable on purpose, not for secrets
        self._count = 0

    def machine(self) -> str:
        """14 hex characters."""
        return f"{self._random.getrandbits(56) | 1 << 52:014x}"

    def ulid(self) -> str:
        """26 characters, each later one greater."""
        self._count += 1
        number = (_EPOCH_MS + self._count) << 80 | self._random.getrandbits(80)
        return base64.b32encode((number << 6).to_bytes(17, "big")).translate(_TO_CROCKFORD)[:26].decode()

    def name(self) -> str:
        """Such as `aged-wind-2649`."""
        mood, thing = self._random.choice(_MOODS), self._random.choice(_THINGS)
        return f"{mood}-{thing}-{self._random.randrange(1000, 10000)}"

    def nonce(self) -> str:
        """12 hex characters."""
        return f"{self._random.getrandbits(48):012x}"

    def volume(self) -> str:
        """`vol_` and 16 characters."""
        return "vol_" + "".join(self._random.choice(_BASE36) for _ in range(16))

    def app(self) -> str:
        """16 characters."""
        return "".join(self._random.choice(_BASE36) for _ in range(16))

    def address(self) -> str:
        """A private IPv6 address."""
        left, right = self._random.getrandbits(16), self._random.getrandbits(16)
        return f"fdaa:0:18:a7b:{self._random.getrandbits(9):x}:{left:x}:{right:x}:2"


def digest(text: str) -> str:
    """The digest an image of this reference has."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def owner_of(token: str) -> str:
    """Who holds a lease taken with this token; tells nothing of the token itself."""
    mark = hashlib.sha256(token.encode()).hexdigest()
    return f"{mark[:8]}-{mark[8:12]}-{mark[12:16]}-{mark[16:20]}-{mark[20:32]}@tokens.fly.io"
