"""Notes for people and MIRIAM annotations for programs: where a number comes from, what a species is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from nanotrial.network.model import Parameter

References = Mapping[str, Mapping[str, str]]

_RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    ' xmlns:bqbiol="http://biomodels.net/biology-qualifiers/">'
)


def notes(*lines: str) -> str:
    """Return an SBML note of one paragraph per line; empty lines are left out."""
    kept = "".join(f"<p>{escape(line)}</p>" for line in lines if line)
    return f'<notes><body xmlns="http://www.w3.org/1999/xhtml">{kept}</body></notes>' if kept else ""


def annotation(identifier: str, qualifier: str, resources: Sequence[str]) -> str:
    """Return the RDF that joins an element to resources; empty without any.

    Arguments:
        identifier: metaid of the element.
        qualifier: of biology-qualifiers, for instance ``is``.
        resources: addresses at identifiers.org.
    """
    if not resources:
        return ""
    items = "".join(f"<rdf:li rdf:resource={quoteattr(one)}/>" for one in resources)
    about = f'<rdf:Description rdf:about="#{identifier}"><bqbiol:{qualifier}><rdf:Bag>{items}</rdf:Bag>'
    return f"<annotation>{_RDF}{about}</bqbiol:{qualifier}></rdf:Description></rdf:RDF></annotation>"


@cache
def entities() -> dict[str, str]:
    """Return the ChEBI identifiers by last part of the name of a species."""
    table = tomllib.loads(Path(__file__).with_name("identifiers.toml").read_text(encoding="utf-8"))
    return {name: row["chebi"] for name, row in table.items()}


def entity_of(species: str) -> list[str]:
    """Return the address of what a species is, where that is certain."""
    found = entities().get(species.rpartition(".")[2])
    return [f"https://identifiers.org/{found}"] if found else []


def provenance_lines(parameter: Parameter, found: bool) -> list[str]:
    """Return source, grade and spread of a parameter in words.

    Arguments:
        parameter: of the network.
        found: whether its number was found when the arm was prepared.
    """
    if found:
        return ["Found when the arm was prepared: the fresh solution has its nominal pH, the cells are at rest."]
    value = parameter.provenance
    if value is None:
        return [f"Said by the study or following from it; shown in {parameter.unit}."]
    source = f"Source: {value.source}" + (f" ({value.locator})" if value.locator else "")
    conditions = f"Conditions: {value.conditions}" if value.conditions else ""
    return [f"{value} (grade: {value.grade}).", source, conditions, f"Note: {value.note}" if value.note else ""]


def source_of(parameter: Parameter, references: References) -> list[str]:
    """Return the address of the publication that describes a parameter, where it has a DOI."""
    if parameter.provenance is None:
        return []
    doi = references.get(parameter.provenance.source, {}).get("doi", "")
    return [f"https://identifiers.org/doi/{doi}"] if doi else []
