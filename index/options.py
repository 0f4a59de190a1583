"""Command line options that are made from the fields of a settings class."""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

import click

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

__all__ = ["SettingsCommand", "SettingsGroup", "load_settings", "pass_settings"]

_GIVEN = "index.options.given"
"""Where in click's `meta` the options given so far are; commands below a group share it with the group."""

_METAVARS = {bool: None, frozenset: "IDS", Path: "PATH", str: "TEXT", int: "N", float: "NUMBER"}


class SettingsCommand(click.Command):
    """A command with an option for each setting but the secrets, which would show in a list of processes.

    The settings class is imported when the command line is parsed as far as this command, so `footnote
    --help` never imports it. Values are passed on as text, since the settings validate them.
    """

    settings = "index.settings:IndexSettings"
    """The settings class, as module and name."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own options, and one for each setting."""
        own, with_help = self.params, super().get_params(ctx)
        return [*own, *self._setting_options, *with_help[len(own) :]]

    @functools.cached_property
    def _setting_options(self) -> list[click.Option]:
        fields = pkgutil.resolve_name(self.settings).model_fields.items()
        return [_option(name, field) for name, field in fields if "Secret" not in str(field.annotation)]


class SettingsGroup(SettingsCommand, click.Group):
    """A group with an option for each setting, which its commands then have too."""


def pass_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Pass a command its settings as the first argument."""

    @click.pass_context
    @functools.wraps(command)
    def wrapped(context: click.Context, /, **options: Any) -> None:
        command(load_settings(context), **options)

    return wrapped


def load_settings(context: click.Context) -> Any:
    """Load the settings with the given options: by the function that is the root's `obj`, if there is one.

    Raises:
        SettingsError: a value is not accepted.
    """
    from index.settings import IndexSettings

    load = context.find_root().obj or IndexSettings.load
    return load(**context.meta.get(_GIVEN, {}))


def _option(name: str, field: FieldInfo) -> click.Option:
    kind = field.annotation
    words = "|".join(map(str, get_args(kind)))  # of a Literal
    metavar = next((_METAVARS[k] for k in (kind, get_origin(kind), *get_args(kind)) if k in _METAVARS), words)
    flag = "--" + name.replace("_", "-")
    names = [f"{flag}/--no-{flag[2:]}" if kind is bool else flag]
    text = f"{field.description} [default: {field.default}]" if field.default else field.description
    # A flag defaults to False, which would override the environment, unless its default is given as None.
    return click.Option(
        names, None, default=None, metavar=metavar, help=text, expose_value=False, callback=_remember
    )


def _remember(context: click.Context, option: click.Parameter, value: object) -> None:
    if value is not None:
        context.meta.setdefault(_GIVEN, {})[option.name] = value
