"""Which code made a result: version, commit, and the versions of the packages it stands on."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from crm import __version__
from crm.kept import code_fingerprint

DISTRIBUTION = "analytical-crm"


def code_version() -> str:
    """The version of the package and a hash of its files: equal only if the code is equal, committed or not."""
    return f"{__version__}+{code_fingerprint('.')}"


def code_record(home: Path) -> dict[str, Any]:
    """The code as it stands in a receipt; `git_commit` is that of the folder of crm.toml, if it has one."""
    commit = _git("rev-parse", "HEAD", folder=home)
    dirty = bool(_git("status", "--porcelain", folder=home)) if commit else None
    return {"version": code_version(), "git_commit": commit or None, "git_dirty": dirty}


def package_versions() -> dict[str, str]:
    """The versions of the packages this one declares, as far as they are installed."""
    try:
        declared = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    names = [re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0] for line in declared if "extra ==" not in line]
    versions = {}
    for name in sorted(names):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # declared for another system
            continue
    return versions


def _git(*arguments: str, folder: Path) -> str:
    """What git says of a folder; nothing where there is no git, or no repository."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}  # somebody may be committing at this moment
    try:
        answer = subprocess.run(
            ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
