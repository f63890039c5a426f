"""Find, load and list sheets: ``materials/calcium_peroxide.toml`` is the material ``calcium_peroxide``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from nanotrial.catalogue.schema import KINDS, Solute, Water, read_sheet
from nanotrial.errors import CatalogueError, nearest
from nanotrial.values import Value

ROOT = Path(__file__).parent
# What messages call one sheet of a kind, where it is not the kind without its s.
SINGULAR = {"cells": "cell line", "media": "medium", "calcium_handling": "set of calcium constants"}


class Catalogue:
    """Sheets of the package, and of further folders of the same layout that come first."""

    def __init__(self, *folders: Path) -> None:
        """Look in ``folders`` before the package's own sheets."""
        self.folders = (*folders, ROOT)

    def ids(self, kind: str) -> list[str]:
        """Return the ids of a kind, sorted; an unknown kind raises with the nearest ones."""
        if kind not in KINDS:
            raise CatalogueError("catalogue", f"the kind `{kind}`", "a kind of sheet", nearest(kind, KINDS))
        found = {p.stem for folder in self.folders for p in (folder / kind).glob("*.toml")}
        return sorted(found - ({"water"} if kind == "solutes" else set()))

    def path(self, kind: str, identifier: str, where: str = "catalogue") -> Path:
        """Return the file of a sheet; a misspelt id raises with the nearest names."""
        for folder in self.folders:
            path = folder / kind / f"{identifier}.toml"
            if re.fullmatch(r"[A-Za-z0-9_]+", identifier) and path.is_file():
                return path
        singular = SINGULAR.get(kind, kind.rstrip("s").replace("_", " "))
        article = "an" if singular[0] in "aeiou" else "a"
        raise CatalogueError(
            where, f"`{identifier}`", f"{article} {singular} of the catalogue", nearest(identifier, self.ids(kind))
        )

    def load(self, kind: str, identifier: str, where: str = "catalogue") -> Any:
        """Return the sheet of a kind and id; ``where`` names the file and key that ask for it.

        Raises:
            CatalogueError: no such sheet, a wrong sheet, or, in a folder of one's own, a source no references.bib has.
        """
        path = self.path(kind, identifier, where)
        sheet = _load(path, KINDS[kind])
        if ROOT not in path.parents:
            self._check_sources(path, sheet)
        return sheet

    def references(self) -> dict[str, dict[str, str]]:
        """Return the BibTeX entries of the package and of every folder's own references.bib."""
        entries = dict(references())
        for folder in self.folders:
            if (folder / "references.bib").is_file():
                entries |= references(folder / "references.bib")
        return entries

    def _check_sources(self, path: Path, sheet: object) -> None:
        known = self.references()
        for key, value in values_in(sheet):
            if value.source not in known:
                where = f"{path.parent.name}/{path.name}: {key}.source"
                action = f"Add it to {path.parent.parent.name}/references.bib. {nearest(value.source, known)}"
                raise CatalogueError(where, f"`{value.source}`", "a key of references.bib", action)

    def water(self) -> Water:
        """Return the sheet of water."""
        sheet: Water = _load(self.path("solutes", "water"), Water)
        return sheet

    def solutes(self) -> dict[str, Solute]:
        """Return all dissolved components by id."""
        return {name: self.load("solutes", name) for name in self.ids("solutes")}


@lru_cache(maxsize=512)
def _load(path: Path, sheet: type) -> Any:
    return read_sheet(read_toml(path), sheet, f"{path.parent.name}/{path.name}")


def read_toml(path: Path) -> dict[str, Any]:
    """Return a parsed TOML file; errors of reading and syntax name the file (and the line)."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(str(path), f"text that is no TOML ({error})", "valid TOML") from error
    except UnicodeDecodeError as error:
        raise CatalogueError(str(path), "bytes that are no UTF-8 text", "a TOML text file") from error
    except OSError as error:
        raise CatalogueError(str(path), f"a file that cannot be read ({error.strerror})", "a readable file") from error
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, tables nested a thousand deep
        raise CatalogueError(str(path), f"TOML beyond all measure ({error})", "a small file") from error


def values_in(sheet: object, prefix: str = "") -> Iterator[tuple[str, Value]]:
    """Yield (key path, Value) for every value in a sheet, nested tables and lists included."""
    import dataclasses

    if isinstance(sheet, Value):
        yield prefix, sheet
    elif dataclasses.is_dataclass(sheet) and not isinstance(sheet, type):
        for entry in dataclasses.fields(sheet):
            yield from values_in(getattr(sheet, entry.name), f"{prefix}.{entry.name}" if prefix else entry.name)
    elif isinstance(sheet, dict):
        for key, one in sheet.items():
            yield from values_in(one, f"{prefix}.{key}")
    elif isinstance(sheet, list):
        for one in sheet:
            label = getattr(one, "name", "")
            yield from values_in(one, f"{prefix}.{label}")


def table_sources(sheet: object) -> set[str]:
    """Return the sources of the tables of a sheet, nested ones included: spectra, emissions, mass fractions."""
    import dataclasses

    if isinstance(sheet, Value | type):
        return set()
    if isinstance(sheet, list | dict):
        parts = sheet.values() if isinstance(sheet, dict) else sheet
        return {source for part in parts for source in table_sources(part)}
    if not dataclasses.is_dataclass(sheet):
        return set()
    inner = {n: getattr(sheet, n) for n in (entry.name for entry in dataclasses.fields(sheet))}
    own = {inner["source"]} if isinstance(inner.get("source"), str) else set()
    return own | {source for part in inner.values() for source in table_sources(part)}


@lru_cache(maxsize=4)
def references(path: Path = ROOT / "references.bib") -> dict[str, dict[str, str]]:
    """Return the BibTeX entries by key: each a mapping of field to text, with the raw entry under ``raw``."""
    text = path.read_text(encoding="utf-8")
    entries = {}
    for match in re.finditer(r"@(\w+)\s*\{\s*([^,\s]+)\s*,(.*?)\n\}", text, flags=re.DOTALL):
        fields = {
            k.lower(): re.sub(r"[{}]", "", v).strip()
            for k, v in re.findall(r"(\w+)\s*=\s*[{\"](.*?)[}\"]\s*,?\s*(?=\n|$)", match[3], flags=re.DOTALL)
        }
        entries[match[2]] = {"type": match[1].lower(), "raw": match[0], **fields}
    return entries
