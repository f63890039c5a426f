"""Every sheet and every value on disk, by the ids that second readings and fits use."""

import dataclasses
import re
import tomllib
from functools import cache

from nanotrial.catalogue.lookup import ROOT, Catalogue, values_in
from nanotrial.catalogue.schema import KINDS, Water

CATALOGUE = Catalogue()
SHEETS = [(kind, name) for kind in KINDS for name in CATALOGUE.ids(kind)] + [("solutes", "water")]
IDS = [f"{kind}/{name}" for kind, name in SHEETS]


def sheet_class(kind, name):
    return Water if (kind, name) == ("solutes", "water") else KINDS[kind]


@cache
def load(kind, name):
    return CATALOGUE.water() if (kind, name) == ("solutes", "water") else CATALOGUE.load(kind, name)


@cache
def table(kind, name):
    return tomllib.loads((ROOT / kind / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def all_values():
    """Return every value by id, such as ``solutes/phosphate:species.HPO4-2.log_k``."""
    return {f"{kind}/{name}:{path}": value for kind, name in SHEETS for path, value in values_in(load(kind, name))}


def required(sheet):
    return [
        f.name
        for f in dataclasses.fields(sheet)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]


def named_charge(species):
    """Return the charge that a name such as ``Cu2(OH)2+2`` or ``HPO4-2`` shows."""
    match = re.search(r"([+-])(\d*)$", species)
    return 0 if match is None else int(match[1] + (match[2] or "1"))
