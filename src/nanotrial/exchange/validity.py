"""What libSBML finds wrong in a document."""

from __future__ import annotations

from nanotrial.errors import NetworkError


def check_document(text: str) -> list[str]:
    """Return what libSBML finds wrong in a document, units included: one line per finding, empty if nothing.

    Arguments:
        text: an SBML document.
    """
    import libsbml

    document = libsbml.readSBMLFromString(text)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.checkConsistency()
    errors = [document.getError(i) for i in range(document.getNumErrors())]
    return [f"line {e.getLine()}: {e.getMessage().strip()}" for e in errors]


def refuse_faulty(text: str, name: str) -> None:
    """Raise NetworkError where libSBML finds a document wrong.

    Arguments:
        text: an SBML document.
        name: what it is of, for the message.
    """
    found = check_document(text)
    if found:
        raise NetworkError(f"{name} makes no valid SBML ({len(found)} findings): {' '.join(found[0].split())[:300]}")
