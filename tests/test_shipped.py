"""Folders that come with the package."""

from __future__ import annotations

from pathlib import Path

from luma_studio import shipped as module
from luma_studio.shipped import shipped


def test_a_shipped_folder_is_beside_the_package_in_a_clone_and_inside_it_in_a_wheel(tmp_path, monkeypatch):
    assert shipped("notebooks") == Path(__file__).parents[1] / "notebooks"
    package = tmp_path / "luma_studio"
    (package / "notebooks").mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(package / "shipped.py"))
    assert shipped("notebooks") == package / "notebooks"
