"""`make audit`: the known vulnerabilities of the locked runtime requirements, asked of pip-audit.

pip-audit calls it success when its data has nothing to say about a package. Here only an answer
about every package counts as good news; where no answer can be had at all, that is said.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

CLEAN, VULNERABLE, FAILED = 0, 1, 2
# How the errors of a network that does not let one through are called.
OUT_OF_REACH = (
    "requests.exceptions.ConnectionError",
    "requests.exceptions.ConnectTimeout",
    "requests.exceptions.ProxyError",
    "requests.exceptions.ReadTimeout",
    "requests.exceptions.SSLError",
    "pip_audit._service.interface.ConnectionError",
    "pip_audit._service.interface.ServiceError",
    "your network may be blocking this service",
)


def main(requirements: str = "requirements.txt") -> int:
    """Audit one file of pinned requirements; the exit status."""
    pip_audit = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--format", "json"]
    pinned = ["--disable-pip", "--require-hashes", "--requirement", requirements]
    # Known packages, from the files in this folder.
    done = subprocess.run([*pip_audit, *pinned], capture_output=True, text=True, check=False)  # noqa: S603
    status, message = verdict(done.stdout, done.stderr)
    sys.stdout.write(f"{Path(requirements).name}: {message}\n")
    return status


def verdict(report: str, complaints: str) -> tuple[int, str]:
    """The exit status and what to say, of pip-audit's report (JSON) and its standard error."""
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError):
        return _without_report(complaints)
    found = [finding for package in packages for finding in _findings(package)]
    unanswered = [package["name"] for package in packages if "vulns" not in package]
    if found:
        return VULNERABLE, "known vulnerabilities:\n" + "\n".join(found)
    if not packages or 0 < len(unanswered) < len(packages):
        return FAILED, f"not audited: {', '.join(unanswered) or 'no package was read'}"
    if unanswered:
        return CLEAN, "NOT AUDITED: the vulnerability data cannot be reached from here"
    return CLEAN, f"no known vulnerability in {len(packages)} packages"


def _findings(package: dict[str, Any]) -> list[str]:
    name = f"{package['name']} {package.get('version', '')}"
    return [
        f"  {name}: {vulnerability['id']}, mended in"
        f" {', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for vulnerability in package.get("vulns", ())
    ]


def _without_report(complaints: str) -> tuple[int, str]:
    # The last line of a traceback names the error that ended it.
    last = complaints.strip().rpartition("\n")[2]
    if any(sign in last for sign in OUT_OF_REACH):
        return CLEAN, f"NOT AUDITED: the vulnerability data cannot be reached from here ({last})"
    return FAILED, f"pip-audit failed:\n{complaints}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
