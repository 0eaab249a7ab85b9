"""Where a setting of the process comes from: a variable, somebody else's variable, or the file."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from autoscaler.service.configuration.declaration import Declared, declared
from autoscaler.service.configuration.process import Process
from autoscaler.service.configuration.spelling import Word

_DECLARED = tuple(declared(Process))


def read_process(environ: Mapping[str, str], tables: Mapping[str, Any]) -> Process:
    """Merge the variables over the file's tables. Raises pydantic's ValidationError.

    The process's own environment, dotenv files and secret folders are not looked at.
    """

    class Bound(Process):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del env_settings, dotenv_settings, file_secret_settings
            return VariableSource(settings_cls, environ), init_settings

    return Bound(
        **{name: tables[name] for name in Process.model_fields if isinstance(tables.get(name), dict)}
    )


class VariableSource(PydanticBaseSettingsSource):
    """Reads the declared variables, and their fallbacks, from a mapping."""

    def __init__(self, settings_cls: type[BaseSettings], environ: Mapping[str, str]) -> None:
        """`environ` stands for the environment."""
        super().__init__(settings_cls)
        self._environ = environ

    def __call__(self) -> dict[str, Any]:
        """Every table of which at least the API, which has a required key, or one variable is set."""
        found = {name: self.get_field_value(field, name)[0] for name, field in Process.model_fields.items()}
        return {name: table for name, table in found.items() if table or name == "api"}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[dict[str, Word], str, bool]:
        """The variables of one table."""
        del field
        table = {}
        for entry in _DECLARED:
            source = source_of(entry, self._environ)
            if entry.path[0] == field_name and source is not None:
                table[entry.path[1]] = Word(self._environ[source].strip())
        return table, field_name, True


def source_of(entry: Declared, environ: Mapping[str, str]) -> str | None:
    """The variable that a setting is read from: its own, else its fallback; None if neither is set.

    An empty secret counts as not set, so that `TOKEN=${OTHER:-}` in a script does no harm; so does
    an empty variable of somebody else's.
    """
    own, other = entry.variable, entry.fallback
    if own is not None and own in environ and (environ[own].strip() or not entry.secret):
        return own
    return other if other is not None and environ.get(other, "").strip() else None


def is_said(table: str, key: str, environ: Mapping[str, str], tables: Mapping[str, Any]) -> bool:
    """Whether a setting has been given at all, rightly or wrongly."""
    entry = next(entry for entry in _DECLARED if entry.path == (table, key))
    return source_of(entry, environ) is not None or _in_file(entry, tables)


def variable_behind(
    location: Sequence[str | int], environ: Mapping[str, str], tables: Mapping[str, Any]
) -> str | None:
    """The variable to blame for a setting: the one it was read from, or the one to set if nobody said it."""
    entry = next((entry for entry in _DECLARED if entry.path == tuple(location)), None)
    if entry is None:
        return None
    return source_of(entry, environ) or (None if _in_file(entry, tables) else entry.variable)


def secrets_in(environ: Mapping[str, str], tables: Mapping[str, Any]) -> list[str]:
    """Every secret that was said, for striking it out."""
    entries = [entry for entry in _DECLARED if entry.secret]
    names = [name for entry in entries for name in (entry.variable, entry.fallback) if name]
    found = [environ.get(name, "") for name in names]
    said = [tables[entry.path[0]][entry.path[1]] for entry in entries if _in_file(entry, tables)]
    found += [secret for secret in said if isinstance(secret, str)]
    return [secret.strip() for secret in found if secret.strip()]


def _in_file(entry: Declared, tables: Mapping[str, Any]) -> bool:
    table = tables.get(entry.path[0])
    return isinstance(table, dict) and entry.path[1] in table
