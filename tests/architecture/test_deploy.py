"""What is deployed starts what there is."""

import configparser
import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crm.cli import app

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def unit(name):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(DEPLOY / name)
    return parser


def test_the_timer_starts_the_service_and_the_service_tells_when_it_fails():
    assert unit("analytical-crm.timer")["Timer"]["OnCalendar"]
    assert unit("analytical-crm.timer")["Timer"]["Persistent"] == "true", (
        "a morning the machine was off is made up for"
    )
    service = unit("analytical-crm.service")
    assert service["Unit"]["OnFailure"].split("@")[0] + "@.service" in {file.name for file in DEPLOY.iterdir()}
    assert service["Service"]["Type"] == "oneshot"


@pytest.mark.parametrize("name", ["analytical-crm.service", "crontab"])
def test_the_command_is_one_that_crm_understands(name):
    text = (DEPLOY / name).read_text()
    arguments = re.search(r"bin/crm (run --as-of today)", text)[1].split()
    known = CliRunner().invoke(app, [arguments[0], "--help"]).output
    assert "--as-of" in known
    assert "today" in known


def test_cron_prints_only_when_the_run_failed(tmp_path):
    """The line itself, with a stand-in for the command that fails or does not."""
    line = (DEPLOY / "crontab").read_text().splitlines()[-1].split(maxsplit=5)[5].replace("\\%", "%")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    crm = tmp_path / ".venv" / "bin" / "crm"
    for status, expected in ((0, ""), (1, "what went wrong\n")):
        crm.write_text(f"#!/bin/sh\necho what went wrong\nexit {status}\n")
        crm.chmod(0o755)
        shell = line.replace("/opt/analytical-crm", str(tmp_path))
        done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False)
        assert done.stdout == expected
