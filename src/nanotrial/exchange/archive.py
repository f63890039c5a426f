"""A whole experiment in one COMBINE archive (OMEX): models in SBML, what to run and to plot in SED-ML.

Written with the standard library; the same study gives the same bytes.
"""

from __future__ import annotations

import io
import math
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import nanotrial
from nanotrial.exchange.arm import last_time, write_arm
from nanotrial.exchange.names import Identifiers
from nanotrial.experiment import HELD, Player
from nanotrial.units import from_si

if TYPE_CHECKING:
    from nanotrial.exchange.sbml import Model
    from nanotrial.places import BuiltArm
    from nanotrial.study import Study

SEDML = "http://sed-ml.org/sed-ml/level1/version4"
SBML = "http://www.sbml.org/sbml/level3/version2/core"
MATHML = "http://www.w3.org/1998/Math/MathML"
MANIFEST = "http://identifiers.org/combine.specifications/omex-manifest"
MOST_STEPS = 5000
CVODES = "KISAO:0000019"
FORMATS = {
    ".xml": "http://identifiers.org/combine.specifications/sbml.level-3.version-2",
    ".sedml": "http://identifiers.org/combine.specifications/sed-ml.level-1.version-4",
    ".rdf": "http://identifiers.org/combine.specifications/omex-metadata",
    ".md": "http://purl.org/NET/mediatypes/text/markdown",
}
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class WrittenArm:
    """An arm in an archive: its id, its name, its model, and the id of the model of the same cells left alone."""

    identifier: str
    name: str
    model: Model
    control: str = ""


def write_archive(
    study: Study, built: list[BuiltArm], flat: bool = False, progress: Callable[[str], None] | None = None
) -> bytes:
    """Return the bytes of an OMEX archive of a study.

    Arguments:
        study: the study.
        built: its arms.
        flat: see ``sbml.write_network``.
        progress: called with the name of each arm when it begins.

    Raises:
        NetworkError: a part of a network cannot be written.
    """
    arms = _written(study, built, flat, progress or (lambda name: None))
    files = {f"models/{arm.identifier}.xml": arm.model.text for arm in arms}
    files["simulation.sedml"] = _simulation(study, arms)
    files["metadata.rdf"] = _metadata(study)
    files["README.md"] = _readme(study, arms)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {"manifest.xml": _manifest(list(files)), **files}.items():
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, text.encode())
    return packed.getvalue()


def _written(study: Study, built: list[BuiltArm], flat: bool, begin: Callable[[str], None]) -> list[WrittenArm]:
    """Return every arm, and the untreated cells that viability is held to where no arm is them."""
    player, free = Player(), Identifiers()
    controls: dict[object, WrittenArm] = {}
    arms: list[WrittenArm] = []
    for one in built:
        begin(one.name)
        control = ""
        if one.dish is not None and one.untreated is not None and one.events:
            culture = (one.dish.subject, tuple(sorted((m, name) for m, (name, _) in one.dish.probes.items())))
            if culture not in controls:
                identifier = free.take(f"control_{len(controls) + 1}")
                model = write_arm(study, one.untreated(), player, flat)
                controls[culture] = WrittenArm(identifier, f"cells left alone {len(controls) + 1}", model)
            control = controls[culture].identifier
        arms.append(WrittenArm(free.take(f"arm_{one.name}"), one.name, write_arm(study, one, player, flat), control))
    return [*arms, *controls.values()]


def steps_of(study: Study) -> int:
    """Return into how many steps the run is cut, so that every time of the study is one of them where that can be."""
    end, times = last_time(study), [t for m in study.measures for t in m.times]
    common = math.gcd(*[round(t) for t in times]) if all(t == round(t) for t in times) else 0
    count = round(end / common) if common else 1000
    return max(1, min(count, MOST_STEPS))


def _simulation(study: Study, arms: list[WrittenArm]) -> str:
    root = ET.Element("sedML", {"xmlns": SEDML, "level": "1", "version": "4", "xmlns:sbml": SBML})
    lists = {
        name: ET.SubElement(root, f"listOf{name}")
        for name in ("Models", "Simulations", "Tasks", "DataGenerators", "Outputs")
    }
    end = repr(last_time(study))
    course = {"id": "course", "initialTime": "0", "outputStartTime": "0", "outputEndTime": end}
    simulation = ET.SubElement(
        lists["Simulations"], "uniformTimeCourse", course | {"numberOfSteps": str(steps_of(study))}
    )
    algorithm = ET.SubElement(simulation, "algorithm", {"kisaoID": CVODES})
    settings = ET.SubElement(algorithm, "listOfAlgorithmParameters")
    for kisao, value in (("KISAO:0000209", "1e-09"), ("KISAO:0000211", "1e-24")):
        ET.SubElement(settings, "algorithmParameter", {"kisaoID": kisao, "value": value})
    for arm in arms:
        about = {"id": arm.identifier, "name": arm.name, "language": "urn:sedml:language:sbml.level-3.version-2"}
        ET.SubElement(lists["Models"], "model", about | {"source": f"models/{arm.identifier}.xml"})
        task = {"id": f"task_{arm.identifier}", "modelReference": arm.identifier, "simulationReference": "course"}
        ET.SubElement(lists["Tasks"], "task", task)
    _outputs(study, arms, lists)
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _outputs(study: Study, arms: list[WrittenArm], lists: dict[str, ET.Element]) -> None:
    """Add a data generator per arm and measure, a report per arm and a plot per measure."""
    plots: dict[str, list[tuple[WrittenArm, str]]] = {}
    by_id = {arm.identifier: arm for arm in arms}
    for arm in arms:
        time = f"time_{arm.identifier}"
        _generator(lists["DataGenerators"], time, "time (s)", [(arm, "")], lambda ids: _ci(ids[0]))
        report = ET.SubElement(lists["Outputs"], "report", {"id": f"report_{arm.identifier}", "name": arm.name})
        sets = ET.SubElement(report, "listOfDataSets")
        label = {"id": f"set_{time}", "label": "time (s)", "dataReference": time}
        ET.SubElement(sets, "dataSet", label)
        for measure in study.measures:
            if ("observable", measure.name) not in arm.model.ids:
                continue
            name = f"{measure.name}_{arm.identifier}"
            _measured(lists["DataGenerators"], name, measure.name, arm, by_id.get(arm.control))
            ET.SubElement(sets, "dataSet", {"id": f"set_{name}", "label": measure.name, "dataReference": name})
            plots.setdefault(measure.name, []).append((arm, name))
    for measure_name, curves in plots.items():
        plot = ET.SubElement(lists["Outputs"], "plot2D", {"id": f"plot_{measure_name}", "name": measure_name})
        listed = ET.SubElement(plot, "listOfCurves")
        for order, (arm, name) in enumerate(curves):
            about = {"id": f"curve_{name}", "name": arm.name, "order": str(order), "logX": "false", "logY": "false"}
            ET.SubElement(listed, "curve", about | {"xDataReference": f"time_{arm.identifier}", "yDataReference": name})


def _measured(place: ET.Element, name: str, measure: str, arm: WrittenArm, control: WrittenArm | None) -> None:
    """Add a measure in its own unit; what is held to cells left alone is divided by theirs."""
    unit = arm.model.units[measure]
    source = "viability" if measure == "cell_death" else measure
    if control is not None and source in HELD:
        formula = _lost if measure == "cell_death" else _share
        _generator(place, name, measure, [(arm, source), (control, source)], formula)
        return
    factor, offset = from_si(1.0, unit) - from_si(0.0, unit), from_si(0.0, unit)

    def shown(ids: list[str]) -> ET.Element:
        scaled = _apply("times", _cn(factor), _ci(ids[0]))
        return _apply("plus", scaled, _cn(offset)) if offset else scaled

    _generator(place, name, f"{measure} ({unit})", [(arm, measure)], shown)


def _share(ids: list[str]) -> ET.Element:
    return _apply("divide", _ci(ids[0]), _ci(ids[1]))


def _lost(ids: list[str]) -> ET.Element:
    return _apply("minus", _cn(1.0), _share(ids))


def _generator(
    place: ET.Element,
    identifier: str,
    name: str,
    sources: list[tuple[WrittenArm, str]],
    formula: Callable[[list[str]], ET.Element],
) -> None:
    generator = ET.SubElement(place, "dataGenerator", {"id": f"{identifier}", "name": name})
    variables = ET.SubElement(generator, "listOfVariables")
    ids = []
    for number, (source, observable) in enumerate(sources):
        ids.append(f"variable_{number}_{identifier}")
        about = {"id": ids[-1], "taskReference": f"task_{source.identifier}"}
        if observable:
            sid = source.model.ids["observable", observable]
            about["target"] = f"/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='{sid}']"
        else:
            about["symbol"] = "urn:sedml:symbol:time"
        ET.SubElement(variables, "variable", about)
    math_ = ET.SubElement(generator, "math", {"xmlns": MATHML})
    math_.append(formula(ids))


def _ci(name: str) -> ET.Element:
    element = ET.Element("ci")
    element.text = name
    return element


def _cn(value: float) -> ET.Element:
    element = ET.Element("cn")
    mantissa, e, exponent = repr(value).partition("e")
    element.text = mantissa
    if e:
        element.set("type", "e-notation")
        ET.SubElement(element, "sep").tail = str(int(exponent))
    return element


def _apply(operation: str, *operands: ET.Element) -> ET.Element:
    element = ET.Element("apply")
    ET.SubElement(element, operation)
    element.extend(operands)
    return element


def _manifest(names: list[str]) -> str:
    root = ET.Element("omexManifest", {"xmlns": MANIFEST})
    ET.SubElement(root, "content", {"location": ".", "format": f"{MANIFEST.rpartition('/')[0]}/omex"})
    ET.SubElement(root, "content", {"location": "./manifest.xml", "format": MANIFEST})
    for name in names:
        about = {"location": f"./{name}", "format": FORMATS[name[name.rindex(".") :]]}
        ET.SubElement(root, "content", about | ({"master": "true"} if name.endswith(".sedml") else {}))
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _metadata(study: Study) -> str:
    rdf, terms = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://purl.org/dc/terms/"
    root = ET.Element("rdf:RDF", {"xmlns:rdf": rdf, "xmlns:dcterms": terms})
    about = ET.SubElement(root, "rdf:Description", {"rdf:about": "."})
    ET.SubElement(about, "dcterms:title").text = study.title
    ET.SubElement(about, "dcterms:description").text = f"Written by nanotrial {nanotrial.__version__}."
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _readme(study: Study, arms: list[WrittenArm]) -> str:
    listed = "\n".join(f"- `models/{arm.identifier}.xml`: {arm.name}" for arm in arms)
    return (
        f"# {study.title}\n\nWritten by nanotrial {nanotrial.__version__}. Research software, not a medical device.\n\n"
        f"{listed}\n\n`simulation.sedml` runs every model to {last_time(study):g} s in {steps_of(study)} steps, "
        "reports every measure per arm in its own unit and plots it. Viability, live fraction and cell death are held "
        "to the models of cells left alone. Readings of assays (colour reactions) are not part of the archive.\n"
    )
