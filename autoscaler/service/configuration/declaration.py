"""One declaration per setting: meaning, default and reason stand where the setting is, and the documentation
is generated from there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo


class Model(BaseModel):
    """A table of the configuration. Unknown keys are errors; defaults are written as operators write them."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A setting as declared. `path` holds the names of its keys, without pool, metric and region names."""

    path: tuple[str, ...]
    meaning: str
    reason: str
    default: str
    """As an operator would write it; `required` if there is none."""
    example: str
    variable: str | None
    fallback: str | None
    """A variable of somebody else's that is read when ours is not set."""
    variable_example: str
    secret: bool


def setting(
    default: object = ...,
    *,
    meaning: str,
    reason: str,
    example: str,
    default_text: str | None = None,
    factory: Callable[[], Any] | None = None,
    variable: str | None = None,
    fallback: str | None = None,
    variable_example: str | None = None,
    secret: bool = False,
) -> Any:  # noqa: ANN401 - the field takes the type of its annotation, as pydantic's own Field does
    """Declare a setting. `default` is spelled as in a file and parsed like an operator's own value.

    `meaning` includes the unit, `reason` says why the default is what it is. `example` is
    file notation; `variable_example` the same in the environment, where the two differ. A
    `factory` makes the empty table or list that is the default.
    """
    if default_text is None:
        default_text = "none" if factory else _spelled(default)
    extra: JsonDict = {
        "reason": reason,
        "default": default_text,
        "example": example,
        "variable": variable,
        "fallback": fallback,
        "variable_example": example.strip('"') if variable_example is None else variable_example,
        "secret": secret,
    }
    if factory is not None:
        return Field(default_factory=factory, description=meaning, json_schema_extra=extra)
    if default is None:
        return Field(None, description=meaning, json_schema_extra=extra)
    return Field(default, description=meaning, json_schema_extra=extra, validate_default=True)


def declared(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Declared]:
    """Every setting of a model and of the tables in it, in order."""
    for name, field in model.model_fields.items():
        if field.description is not None:
            yield _declared((*path, name), field)
        nested = nested_model(field.annotation)
        if nested is not None:
            yield from declared(nested, (*path, name))


def nested_model(annotation: object) -> type[BaseModel] | None:
    """The model inside an annotation such as `dict[str, Region]`, None if there is none."""
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := nested_model(part))), None)


def model_at(model: type[BaseModel], location: Sequence[str | int]) -> type[BaseModel] | None:
    """The model that describes the table at a location of a validation error, None for a plain value."""
    current: Any = model
    for part in location:
        if get_origin(current) in {dict, list}:
            current = get_args(current)[-1]
        else:
            found = nested_model(current)
            field = found.model_fields.get(str(part)) if found else None
            current = field.annotation if field else None
    return None if get_origin(current) in {dict, list} else nested_model(current)


def _declared(path: tuple[str, ...], field: FieldInfo) -> Declared:
    extra: Any = field.json_schema_extra
    return Declared(path=path, meaning=field.description or "", **extra)


def _spelled(default: object) -> str:
    if default is ...:
        return "required"
    if isinstance(default, bool):
        return str(default).lower()
    return "none" if default is None else str(default)
