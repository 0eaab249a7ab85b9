"""The words of others, made fit to be shown."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """The text, with a mark for each character that a terminal would obey or that cannot be written at all.

    JSON may contain both: control characters, and halves of characters outside the first plane.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else REPLACEMENT for character in text)
