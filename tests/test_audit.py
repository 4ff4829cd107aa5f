"""The audit: only an answer about every package is good news, and no answer is not called one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from registry_token.config_values import BASE_DIR
from tools.audit import CLEAN, FAILED, VULNERABLE, verdict

ANSWERED = {"name": "django", "version": "5.2.19", "vulns": []}
ADVISORY = {"id": "CVE-2026-1", "fix_versions": ["5.2.20"]}
VULNERABILITY = ANSWERED | {"vulns": [ADVISORY]}
UNMENDED = ANSWERED | {"vulns": [ADVISORY | {"fix_versions": []}]}
UNANSWERED = {"name": "pyjwt", "skip_reason": "Dependency not found and could not be audited"}

REPORTS = {
    "none known": ([ANSWERED], CLEAN, "no known vulnerability in 1 packages"),
    "one known": ([VULNERABILITY], VULNERABLE, "django 5.2.19: CVE-2026-1, mended in 5.2.20"),
    "not mended": ([UNMENDED], VULNERABLE, "no version yet"),
    "known, with gaps": ([VULNERABILITY, UNANSWERED], VULNERABLE, "CVE-2026-1"),
    "gaps": ([ANSWERED, UNANSWERED], FAILED, "not audited: pyjwt"),
    "no answer at all": ([UNANSWERED], CLEAN, "NOT AUDITED"),
    "no package": ([], FAILED, "no package was read"),
}


@pytest.mark.parametrize(("packages", "status", "said"), REPORTS.values(), ids=REPORTS)
def test_judges_a_report(packages, status, said):
    found, message = verdict(json.dumps({"dependencies": packages}), "")
    assert (found, said in message) == (status, True), message


COMPLAINTS = {
    "no name": ("requests.exceptions.ConnectionError: Max retries exceeded", CLEAN),
    "refused by a proxy": ("pip_audit._service.interface.ServiceError", CLEAN),
    "advice": ("ERROR: x\nERROR:pip_audit._cli:Tip: your network may be blocking this service.", 0),
    "another fault": ("KeyError: 'id'", FAILED),
    "only the cause of another": (
        "requests.exceptions.ConnectionError: x\n\nDuring handling …\nKeyError: 'id'",
        FAILED,
    ),
    "silence": ("", FAILED),
}


@pytest.mark.parametrize(("complaint", "status"), COMPLAINTS.values(), ids=COMPLAINTS)
@pytest.mark.parametrize("report", ["", "{}", "no JSON"])
def test_without_a_report_only_a_network_is_excused(report, complaint, status):
    found, message = verdict(report, complaint)
    assert (found, "NOT AUDITED" in message) == (status, status == CLEAN)


def test_a_missing_tool_is_a_failure():
    """Run by an interpreter that has no pip-audit."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.audit"],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == FAILED
    assert "No module named pip_audit" in done.stdout
