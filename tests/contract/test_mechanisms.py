"""Every mechanism has an id, a condition, a function that adds it, and one exact case that it meets."""

import importlib
import pkgutil

import pytest

import nanotrial.cell
import nanotrial.medium
import nanotrial.particle
from nanotrial.places import MECHANISMS
from nanotrial.places.dish import CELL_MECHANISMS, MINERAL_MECHANISMS

MODULES = [
    importlib.import_module(f"{room.__name__}.{found.name}")
    for room in (nanotrial.medium, nanotrial.particle, nanotrial.cell)
    for found in pkgutil.iter_modules(room.__path__)
]
FOUND = [m for m in MODULES if hasattr(m, "ID")]


def test_mechanisms_on_disk_are_those_of_tube_and_dish():
    used = (*MECHANISMS, *CELL_MECHANISMS, *MINERAL_MECHANISMS)
    assert set(FOUND) == set(used)
    assert len({m.ID for m in FOUND}) == len(FOUND) == len(used)


@pytest.mark.parametrize("module", FOUND, ids=lambda m: m.ID)
def test_mechanism_is_complete(module):
    assert module.__name__ == f"nanotrial.{module.ID}"
    for name in ("applies", "add", "exact_case"):
        assert getattr(module, name).__doc__
    assert "ource" in module.__doc__ or "heet" in module.__doc__ or "catalogue/" in module.__doc__


@pytest.mark.parametrize("module", FOUND, ids=lambda m: m.ID)
def test_exact_case(module):
    found, exact, tolerance = module.exact_case()
    assert 0 < tolerance <= 1e-3
    assert found == pytest.approx(exact, rel=tolerance)
