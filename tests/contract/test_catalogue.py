"""Every sheet on disk keeps the common rules: it loads, its units fit, its sources resolve, its chemistry balances."""

import re
import shutil
from collections import Counter

import numpy as np
import pytest

from nanotrial.catalogue.lookup import ROOT, Catalogue, references, table_sources
from nanotrial.catalogue.schema import KINDS, read_sheet
from nanotrial.errors import CatalogueError, UnitError

from .sheets import CATALOGUE, IDS, SHEETS, all_values, load, named_charge, required, sheet_class, table

# Standard atomic weights (IUPAC 2021, abridged).
ATOMS = {
    "H": 1.008,
    "C": 12.011,
    "N": 14.007,
    "O": 15.999,
    "Na": 22.990,
    "Mg": 24.305,
    "P": 30.974,
    "S": 32.06,
    "Ca": 40.078,
    "Mn": 54.938,
    "Fe": 55.845,
    "Cu": 63.546,
    "Li": 6.94,
    "F": 18.998,
    "Si": 28.085,
    "Ti": 47.867,
    "Zn": 65.38,
    "Nb": 92.906,
    "Mo": 95.95,
    "Ag": 107.868,
    "Gd": 157.25,
    "Lu": 174.967,
    "Hf": 178.486,
    "W": 183.84,
    "Pt": 195.084,
    "Au": 196.967,
    "Bi": 208.980,
}
# What a name does not spell out; hydrogen peroxide is quoted as H2O2.
FORMULAS = {
    "Cit-3": "C6H5O7",
    "Gly-": "C2H4NO2",
    "HEPES-": "C8H17N2O4S",
    "sodium_hyaluronate": "C14H20NO11Na",
}
SOLUTES = CATALOGUE.solutes()
MASTERS = {s.master: (name, s.charge) for name, s in SOLUTES.items()}
SPECIES = {sp.name: sp for s in SOLUTES.values() for sp in s.species}
OF_KIND = {kind: [name for k, name in SHEETS if k == kind and name != "water"] for kind in KINDS}
DISSOLVING = [m for m in OF_KIND["materials"] if load("materials", m).dissolution is not None]
SOLIDS = [("materials", m) for m in DISSOLVING] + [("phases", p) for p in OF_KIND["phases"]]
each_sheet = pytest.mark.parametrize(("kind", "name"), SHEETS, ids=IDS)
each_solute = pytest.mark.parametrize("name", SOLUTES)
each_solid = pytest.mark.parametrize(("kind", "name"), SOLIDS, ids=["/".join(s) for s in SOLIDS])


def atoms(formula):
    """Count the atoms of a formula such as ``Ca(OH)2`` or ``HPO4-2`` (the charge is dropped)."""
    plain = FORMULAS.get(formula, re.sub(r"[+-]\d*$", "", formula))
    while "(" in plain:
        plain = re.sub(r"\(([^()]*)\)(\d*)", lambda m: m[1] * int(m[2] or 1), plain)
    counts = Counter()
    for element, number in re.findall(r"([A-Z][a-z]?)(\d*)", plain):
        assert element in ATOMS, f"{element} in {formula}"
        counts[element] += int(number or 1)
    return counts


def molar_mass(formula):
    return sum(ATOMS[element] * number for element, number in atoms(formula).items())


def charge_of(species):
    """Return the charge of a free species from its masters and protons."""
    if species == "H+":
        return 1
    if species in MASTERS:
        return MASTERS[species][1]
    held = SPECIES[species]
    return held.protons + sum(SOLUTES[c].charge * n for c, n in held.components.items())


def law_of(kind, name):
    sheet = load(kind, name)
    return sheet, sheet.dissolution if kind == "materials" else sheet


@each_sheet
def test_loads_with_a_snake_id(kind, name):
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name)
    assert isinstance(load(kind, name), sheet_class(kind, name))
    assert load(kind, name).name.strip()


def test_tables_have_sources_that_resolve():
    found = {(kind, name): table_sources(load(kind, name)) for kind, name in SHEETS}
    assert found["beams", "6_mv"] == {"mohan_1985"}
    assert {source for sources in found.values() for source in sources} <= references().keys()


def test_no_stray_files():
    for kind in KINDS:
        assert all(p.suffix == ".toml" for p in (ROOT / kind).iterdir())
    assert len(all_values()) > 200


@pytest.mark.parametrize("key", all_values())
def test_value_is_sourced_and_spread(key):
    value = all_values()[key]
    assert value.source in references(), f"{value.source} is not in references.bib"
    assert value.locator.strip(), "which table, figure or formula?"
    if value.grade == "assumed":
        assert value.distribution is not None
        assert value.note.strip(), "an assumed value says why this range"
    if value.source == "assumed":
        assert value.grade == "assumed"
    samples = value.sample(np.array([0.001, 0.05, 0.5, 0.95, 0.999]))
    assert np.all(np.isfinite(samples))
    assert np.all(np.diff(samples) >= 0)
    if value.distribution is not None:
        assert samples[-1] > samples[0]


@pytest.mark.parametrize("key", references())
def test_reference_is_complete(key):
    entry = references()[key]
    for field in ("author", "title", "year"):
        assert entry.get(field, "").strip(), f"{key} has no {field}"
    assert re.fullmatch(r"(18|19|20)\d\d", entry["year"])
    assert re.fullmatch(r"[a-z0-9_]+", key)


def test_references_are_read_whole():
    text = (ROOT / "references.bib").read_text(encoding="utf-8")
    keys = re.findall(r"^@\w+\{([^,]+),", text, flags=re.MULTILINE)
    assert sorted(keys) == sorted(references()), "an entry is written twice or cannot be read"


def test_keys_cited_in_code_and_pages_resolve():
    texts = [*ROOT.parent.rglob("*.py"), *(ROOT.parents[2] / "docs").rglob("*.md")]
    for path in texts:
        if "catalogue" in path.parts and path.suffix == ".md":
            continue
        for key in re.findall(r"\b([a-z]{3,}(?:_v)?_(?:18|19|20)\d\d)\b", path.read_text(encoding="utf-8")):
            assert key in references(), f"{path.name} cites {key}"


@each_solute
def test_species_are_balanced_and_named_by_charge(name):
    sheet = SOLUTES[name]
    assert named_charge(sheet.master) == sheet.charge
    for species in sheet.species:
        assert species.components.keys() <= SOLUTES.keys(), species.name
        assert all(n == int(n) > 0 for n in species.components.values())
        assert name in species.components
        assert named_charge(species.name) == charge_of(species.name), species.name
    if sheet.gas is not None:
        assert sheet.gas.species in {sheet.master, *(s.name for s in sheet.species)}
        assert charge_of(sheet.gas.species) == 0


def test_names_of_species_are_unique():
    names = [sp.name for s in SOLUTES.values() for sp in s.species] + [s.master for s in SOLUTES.values()]
    assert len(names) == len(set(names))


@each_solid
def test_solid_dissolves_into_what_it_is_made_of(kind, name):
    """solid + n H+ = sum of species + m H2O, in charge (a solid has none), in components and in atoms."""
    sheet, law = law_of(kind, name)
    assert sum(n * charge_of(s) for s, n in law.ion_product.items()) == 0
    components = Counter()
    left, right = atoms(sheet.formula), Counter()
    for species, count in law.ion_product.items():
        if species == "H+":
            left["H"] += -count
            continue
        held = {MASTERS[species][0]: 1} if species in MASTERS else SPECIES[species].components
        for component, number in held.items():
            components[component] += number * count
        for element, number in atoms(species).items():
            right[element] += number * count
    assert components == law.products
    rest = {e: left[e] - right[e] for e in ATOMS if left[e] != right[e]}
    assert rest.keys() <= {"H", "O"}
    assert rest.get("H", 0) == 2 * rest.get("O", 0) >= 0, f"not water: {rest}"


@pytest.mark.parametrize("name", OF_KIND["materials"])
def test_molar_mass_of_solid(name):
    sheet = load("materials", name)
    assert sheet.molar_mass.value == pytest.approx(molar_mass(sheet.formula), rel=2e-3)


def test_molar_mass_of_repeat_unit():
    for name in OF_KIND["coatings"]:
        assert load("coatings", name).repeat_unit_molar_mass.value == pytest.approx(molar_mass(name), rel=2e-3)


def test_ids_that_sheets_name_exist():
    for name in OF_KIND["materials"]:
        assert load("materials", name).products.keys() <= SOLUTES.keys()
        if load("materials", name).peroxide is not None:
            assert "hydrogen_peroxide" in load("materials", name).products
    for name in OF_KIND["phases"]:
        assert load("phases", name).products.keys() <= SOLUTES.keys()
    for name in OF_KIND["buffers"]:
        assert load("buffers", name).solutes.keys() <= SOLUTES.keys()
        assert load("buffers", name).low_ph.value < load("buffers", name).high_ph.value
    for name in OF_KIND["assays"]:
        assert load("assays", name).measures in SOLUTES
    for name in OF_KIND["coatings"]:
        digestion = load("coatings", name).digestion
        if digestion is not None:
            enzyme = load("agents", digestion.enzyme)
            assert (enzyme.kind, enzyme.action, enzyme.acts_on) == ("enzyme", "digestion", name)


@pytest.mark.parametrize("name", OF_KIND["agents"])
def test_agent_is_an_enzyme_or_a_neutral_salt(name):
    agent = load("agents", name)
    if agent.kind == "enzyme":
        assert agent.acts_on in {*SOLUTES, *OF_KIND["coatings"]}
        assert agent.action
        # An enzyme that digests a coat has its numbers there: they belong to the pair.
        pair = agent.action == "digestion"
        assert (agent.unit_substrate is None) == pair
        assert (agent.half_saturation is None) == pair
        return
    assert agent.solutes.keys() <= SOLUTES.keys()
    assert not agent.action
    # Hydrogen peroxide is given as H2O2, not as its master: the proton comes along.
    protons = agent.solutes.get("hydrogen_peroxide", 0)
    assert sum(n * SOLUTES[s].charge for s, n in agent.solutes.items()) + agent.strong_charge + protons == 0


def copy_of(tmp_path, kind, name, old="", new=""):
    """Return a catalogue whose sheet is a copy with ``old`` replaced by ``new``."""
    folder = tmp_path / kind
    folder.mkdir()
    shutil.copy(ROOT / kind / f"{name}.toml", folder)
    text = (folder / f"{name}.toml").read_text(encoding="utf-8")
    assert old in text
    (folder / f"{name}.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    return Catalogue(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_misspelt_id_gives_the_nearest(kind):
    name = OF_KIND[kind][0]
    with pytest.raises(CatalogueError, match=f"`{name}`"):
        CATALOGUE.load(kind, name[:-1] + "q")
    with pytest.raises(CatalogueError, match=kind):
        CATALOGUE.ids(kind[:-1])


def test_misspelt_key_gives_the_nearest(tmp_path):
    catalogue = copy_of(tmp_path, "materials", "copper_oxide", "\ndensity =", "\ndensty =")
    with pytest.raises(CatalogueError, match=r"materials/copper_oxide.toml: densty.*Did you mean `density`"):
        catalogue.load("materials", "copper_oxide")


@pytest.mark.parametrize(
    ("old", "new", "error", "text"),
    [
        ('unit = "kg/m^3"', 'unit = "kg/m^2"', UnitError, "density"),
        ('unit = "kg/m^3"', 'unit = "kgg/m^3"', UnitError, "density"),
        ('source = "ciaaw_2021", ', "", CatalogueError, "no `source`"),
        ('grade = "derived"', 'grade = "certain"', CatalogueError, "certain"),
        ("sd = 100.0", "sd = -100.0", CatalogueError, "density.distribution"),
        ("value = 6310.0", "value = nan", CatalogueError, "finite"),
        ("value = 6310.0", "value = true", CatalogueError, "finite"),
        ("[dissolution]", "[dissolution", CatalogueError, "no TOML"),
    ],
)
def test_broken_sheet_says_where(tmp_path, old, new, error, text):
    catalogue = copy_of(tmp_path, "materials", "copper_oxide", old, new)
    with pytest.raises(error, match=text):
        catalogue.load("materials", "copper_oxide")


@each_sheet
def test_missing_key_is_named_with_its_file(kind, name):
    sheet, where = sheet_class(kind, name), f"{kind}/{name}.toml"
    for key in required(sheet):
        rest = {k: v for k, v in table(kind, name).items() if k != key}
        with pytest.raises(CatalogueError, match=rf"^{where}: {key}: found nothing"):
            read_sheet(rest, sheet, where)
