"""The header a token becomes, and the texts from which it is kept away."""

import re

from autoscaler.adapters.http.wording import printable
from autoscaler.domain.errors import ConfigurationError, Fault

MAX_QUOTE_CHARS = 300

_SCHEME = re.compile(r"^(bearer|flyv1)(\s+|$)", re.IGNORECASE)
_SECRET = re.compile(
    r"\b(?:fm2_|fm1[ar]_|fo1_)[^\s\"',]+"  # tokens of the platform, whoever's they are
    r"|\b(?:bearer|flyv1)\s+[^\s\"']+"  # any other, behind its scheme
    r"|(?<=://)[^\s/@]+@",  # a password inside an address
    re.IGNORECASE,
)


def authorization(token: str) -> str:
    """The header for a token: FlyV1 for macaroons (also several, comma-joined), Bearer for all others.

    A scheme that was pasted along is ignored. Raises ConfigurationError for what cannot be a header.
    """
    bare = token.strip()
    while (without := _SCHEME.sub("", bare)) != bare:
        bare = without.strip()
    bare = re.sub(r"\s*,\s*", ",", bare)
    if not bare or not bare.isascii() or not bare.isprintable() or " " in bare:
        remedy = "set it again, exactly as it was issued"
        fault = Fault(path="token", problem="is empty or contains what no token has", remedy=remedy)
        raise ConfigurationError([fault])
    return f"FlyV1 {bare}" if bare.startswith("fm") else f"Bearer {bare}"


def quotable(text: str, header: str = "") -> str:
    """An upstream's words for logs and people: one printable line, cut, without what looks like a secret.

    `header` is our own Authorization header; its token and every part of it are taken out literally.
    """
    token = header.partition(" ")[2]
    for secret in (token, *token.split(",")):
        text = text.replace(secret, "***") if secret else text
    text = printable(" ".join(_SECRET.sub("***", text).split()))
    return text if len(text) <= MAX_QUOTE_CHARS else text[: MAX_QUOTE_CHARS - 3] + "..."
