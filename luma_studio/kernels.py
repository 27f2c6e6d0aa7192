"""The kernels: under this very Python, in the studio's workspace."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

from dotenv import dotenv_values
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import default

from luma_studio.settings import AUDIO, load_settings
from luma_studio.store.files import check_workspace


class OwnPython(KernelSpecManager):
    """Knows one kernel: the Python that runs this, whatever kernels are installed on the computer."""

    @default("kernel_dirs")
    def _kernel_dirs_default(self) -> list[str]:
        return []  # then the native kernel is made from sys.executable


class QuietKernels(AsyncMappingKernelManager):
    """Kernels that do not write into our terminal: not even that they were interrupted while they started."""

    async def start_kernel(self, **options: Any) -> str:  # type: ignore[override] # its types do not tell it is async
        """Start a kernel; its id."""
        quiet = {"stdout": DEVNULL, "stderr": DEVNULL}
        return await super().start_kernel(**quiet | options)


def environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """The variables that kernels need beyond the inherited ones: they work in the notebook's folder, not in this one.

    The workspace and ``PYTHONPATH`` become absolute, and what this folder's ``.env`` says is handed on. Raises
    SettingError if a setting is wrong, StoreError if nothing can be written in the workspace.
    """
    workspace = load_settings().workspace.expanduser().resolve()
    check_workspace(workspace / AUDIO)
    return {**handed_on(inherited), "LUMA_WORKSPACE": str(workspace)}


def handed_on(inherited: Mapping[str, str]) -> dict[str, str]:
    """What this folder's ``.env`` says where the inherited variables say nothing, and ``PYTHONPATH`` made absolute."""
    said = {name: value for name, value in dotenv_values(".env").items() if value and not inherited.get(name)}
    paths = [str(Path(path).resolve()) for path in inherited.get("PYTHONPATH", "").split(os.pathsep) if path]
    return {**said, **({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})}
