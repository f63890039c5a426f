"""Results kept on disk under names made of everything that decides them; a folder that cannot be used is no error."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

# Raised whenever the kernels give other numbers for the same tables.
PHYSICS = 1


def digest(*parts: object) -> str:
    """Return the name under which a result is kept, from everything that decides it."""
    return hashlib.sha256(repr((PHYSICS, *parts)).encode()).hexdigest()


def cache_folder() -> Path:
    """Return where results are kept: $NANOTRIAL_CACHE, or the user's folder for caches."""
    chosen = os.environ.get("NANOTRIAL_CACHE")
    if chosen:
        return Path(chosen) / "radiation"
    import platformdirs

    return Path(platformdirs.user_cache_dir("nanotrial", appauthor=False)) / "radiation"


def load_arrays(name: str) -> dict[str, Any] | None:
    """Return arrays that are kept under a name, or None; a file that cannot be read counts as none."""
    with contextlib.suppress(OSError, ValueError, KeyError, EOFError):
        whole = (cache_folder() / f"{name}.npz").read_bytes()
        if hashlib.sha256(whole[32:]).digest() == whole[:32]:
            with np.load(io.BytesIO(whole[32:]), allow_pickle=False) as stored:
                return {key: stored[key] for key in stored.files}
    return None


def store_arrays(name: str, arrays: dict[str, Any]) -> None:
    """Keep arrays under a name; a folder that cannot be written to is no error."""
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    content = out.getvalue()
    with contextlib.suppress(OSError):
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        os.replace(part, folder / f"{name}.npz")
