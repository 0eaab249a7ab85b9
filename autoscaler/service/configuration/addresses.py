"""Parsers of what leads to other systems: base addresses, tokens, and the address to listen on."""

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from autoscaler.service.configuration.spelling import MistakeError, shown

_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_SCHEMES = re.compile(r"(?:(?:bearer|flyv1)(?: +|$))*", re.IGNORECASE)
"""Words that are pasted along with a token."""
_PRIVATE_ENDINGS = (".internal", ".flycast", ".local", ".localhost")


def base_url(appended: str, first: str) -> Callable[[object], str]:
    """Parser of a base address to which `appended` (such as `/v1`) is added later; a trailing slash goes.

    What comes behind that begins with `first` (`apps`): `/v1/apps/shop` is no base, `/v1/projects/x` may be.
    """
    there = re.compile(f"{appended}(/{first}([/_].*)?)?$")

    def parse(value: object) -> str:
        parts = _split(value)
        if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
            raise MistakeError(
                _quoted(value, "is not an address"), "write one that starts with https:// or http://"
            )
        if not _is_host(parts.hostname):
            raise MistakeError(
                _quoted(value, "has no name of a host in it"), "write one as in https://host.example"
            )
        if parts.username is not None or parts.password is not None:
            raise MistakeError("carries a user name or password", "put the token into the setting beside it")
        if parts.query or parts.fragment:
            raise MistakeError("carries a query or fragment", "write only the base address")
        url = parts.geturl().rstrip("/")
        if found := there.search(parts.path.rstrip("/")):
            end = found.group()
            raise MistakeError(f"{shown(url)} ends in {end}", f"leave {end} away; it is appended")
        return url

    return parse


def parse_token(value: object) -> SecretStr:
    """One token or several joined by commas, in any form the platform hands out; never quoted."""
    if not isinstance(value, str):
        raise MistakeError("is not a text", "put the token between quotes")
    cleaned = value.strip()
    if not cleaned.isascii() or not cleaned.isprintable():
        raise MistakeError(
            "contains a line break or a character that no token has", "copy the token again, as one line"
        )
    if cleaned and not _sendable(cleaned):
        raise MistakeError("is not a token", "copy the token again, exactly as it was issued")
    return SecretStr(cleaned)


def parse_host(value: object) -> str:
    """An IP address or host name to listen on."""
    if isinstance(value, str) and (_is_address(value) or _HOST_NAME.fullmatch(value)):
        return str(value)
    raise MistakeError(f"{shown(value)} is no address", "write one such as ::, 0.0.0.0 or 127.0.0.1")


def is_private(url: str) -> bool:
    """Whether an address stays on this machine or in a private network, as far as its name tells."""
    name = urlsplit(url).hostname or ""
    if _is_address(name):
        return not ipaddress.ip_address(name).is_global
    return name == "localhost" or name.endswith(_PRIVATE_ENDINGS) or "." not in name


def _sendable(token: str) -> bool:
    bare = _SCHEMES.sub("", token, count=1)
    return bool(bare) and not any(" " in part.strip() for part in bare.split(","))


def _split(value: object) -> SplitResult | None:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        return None
    try:
        parts = urlsplit(str(value))
        port = parts.port
    except ValueError:
        return None
    return parts if port != 0 else None


def _quoted(value: object, problem: str) -> str:
    # An address that cannot be taken apart may hide a password where nobody looks for it.
    return problem if isinstance(value, str) and "@" in value else f"{shown(value)} {problem}"


def _is_host(name: str) -> bool:
    """Whether a resolver can be asked for it: no part is empty, too long or in a code that is none."""
    try:
        name.encode("idna").decode("idna")
    except UnicodeError:
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
