"""A sequence that comes into being when somebody first looks at it."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, overload

Item_co = TypeVar("Item_co", covariant=True)


class Deferred(Sequence[Item_co]):
    """Items that are made, once, on the first look. Equal to any sequence with equal items.

    For what people read of a tick and a replay of thousands of ticks does not.
    """

    __slots__ = ("_items", "_make", "_of")

    def __init__(self, make: Callable[..., tuple[Item_co, ...]], *of: object) -> None:
        """`make(*of)` must be pure: nobody knows when it is called."""
        self._make: Callable[..., tuple[Item_co, ...]] | None = make
        self._of = of

    def _made(self) -> tuple[Item_co, ...]:
        # Another thread may look at the same time: then both make the same, and either is kept.
        of, make = self._of, self._make
        if make is not None:
            self._items, self._make, self._of = make(*of), None, ()
        return self._items

    @overload
    def __getitem__(self, index: int) -> Item_co: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Item_co, ...]: ...
    def __getitem__(self, index: int | slice) -> Item_co | tuple[Item_co, ...]:
        """An item, or a tuple of some."""
        return self._made()[index]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._made())

    def __iter__(self) -> Iterator[Item_co]:
        """The items in order."""
        return iter(self._made())

    def __eq__(self, other: object) -> bool:
        """Whether the other sequence has equal items."""
        return isinstance(other, Sequence) and self._made() == tuple(other)

    def __hash__(self) -> int:
        """The hash of the items."""
        return hash(self._made())

    def __repr__(self) -> str:
        """The items, as a tuple shows them."""
        return repr(self._made())
