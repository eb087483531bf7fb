"""Jinja2 as every page of ours has it: autoescape, no undefined names, texts made clean first."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.words import clean

TEMPLATES = Path(__file__).resolve().parent / "templates"


def page_environment() -> Environment:
    """A new one, for its owner to add globals and filters to."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _finalize(value: object) -> object:
    """Texts lose what is not text; markup that a template made itself stays as it is."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return clean(value)
    return value
