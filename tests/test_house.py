"""What holds for the house as a whole: imports go downward, and what is written about it is true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

import luma_studio
from luma_studio.cli import main
from luma_studio.settings import Settings, load_settings

ROOT = Path(__file__).parent.parent


def test_imports_go_only_downward():
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_public_names_are_there():
    for name in luma_studio.__all__:
        assert getattr(luma_studio, name).__name__ == name


def test_the_example_environment_names_every_setting_with_its_default(workspace, monkeypatch):
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    lines = re.findall(r"^#(LUMA_\w+)=(.*)$", text, re.MULTILINE)
    ours = set(Settings.model_fields) - {"batch", "batch_budget"}  # which a batch sets
    assert {name for name, _ in lines} == {f"LUMA_{name.upper()}" for name in ours}
    (workspace / ".env").write_text("\n".join(f"{name}={value}" for name, value in lines), encoding="utf-8")
    chosen, default = load_settings(), Settings(_env_file=None)
    differing = {name for name in Settings.model_fields if getattr(chosen, name) != getattr(default, name)}
    assert differing == {"language", "speakers", "prices"}  # which have none; an example is shown


def test_the_readme_names_only_options_that_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"narrate[^\n`|]*?(--[a-z]+)", readme))
    known = CliRunner().invoke(main, ["narrate", "--help"]).output
    assert shown
    assert all(option in known for option in shown)
