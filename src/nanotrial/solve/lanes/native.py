"""From LLVM text to addresses: compiled once per machine and network, kept on disk under a name made of its content."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

# Raised whenever the text that is emitted for a network changes.
FORMAT = 2


def cache_folder() -> Path:
    """Return where machine code is kept: $NANOTRIAL_CACHE, or the user's folder for caches."""
    chosen = os.environ.get("NANOTRIAL_CACHE")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("nanotrial", appauthor=False))


def _machine(level: int = 0) -> Any:
    """Return a target machine of this processor; ``level`` is how hard the compiler tries.

    A new one each time: what loads machine code owns the machine it was made with and frees it in the end.
    """
    import llvmlite.binding as llvm

    with contextlib.suppress(RuntimeError):  # newer versions initialise themselves and say so
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=level, reloc="default", codemodel="jitdefault", jit=True
    )


def machine_name() -> str:
    """Return what machine code depends on beside its text: processor, its features, compiler."""
    import llvmlite
    import llvmlite.binding as llvm

    return f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()} llvmlite {llvmlite.__version__}"


def digest(*parts: str) -> str:
    """Return the name under which something is kept."""
    return hashlib.sha256("\n".join((str(FORMAT), machine_name(), *parts)).encode()).hexdigest()


def kept(name: str) -> bytes | None:
    """Return what is kept under a name, or None; a file that was cut or changed counts as none."""
    with contextlib.suppress(OSError):
        whole = (cache_folder() / name[:2] / name).read_bytes()
        if hashlib.sha256(whole[32:]).digest() == whole[:32]:
            return whole[32:]
    return None


def keep(name: str, content: bytes) -> None:
    """Keep something on disk; a folder that cannot be written is no error, only slower the next time."""
    folder = cache_folder() / name[:2]
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        handle, work = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            os.replace(work, folder / name)
        except OSError:
            Path(work).unlink(missing_ok=True)
            raise


def machine_code(text: str, level: int) -> bytes:
    """Return the machine code of an LLVM module as an object file, from disk where this text was compiled before."""
    name = digest("code", str(level), text)
    known = kept(name)
    if known is None:
        known = _compiled(text, level)
        keep(name, known)
    return known


def _compiled(text: str, level: int) -> bytes:
    import llvmlite.binding as llvm

    machine = _machine(level)
    module = llvm.parse_assembly(text)
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    module.verify()
    code: bytes = machine.emit_object(module)
    return code


class Loaded:
    """Machine code in memory; addresses live as long as this does."""

    def __init__(self, code: bytes) -> None:
        """Load an object file."""
        import llvmlite.binding as llvm

        empty = llvm.parse_assembly("")
        self._engine = llvm.create_mcjit_compiler(empty, _machine())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Return the address of a function."""
        return int(self._engine.get_function_address(name))
