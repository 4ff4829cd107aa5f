"""`make fuzz`: every target, or those named, for its share of the time.

Findings and the inputs that reach something new are kept in var/fuzz, and later runs begin with
them. `.venv-tools/bin/python -m tests.fuzz.one TARGET FILE` repeats a finding.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from registry_token.config_values import BASE_DIR
from tests.fuzz.seeds import SEEDS

FOLDER = BASE_DIR / "var" / "fuzz"
LIMITS = (
    "-max_len=4096",
    "-timeout=60",  # seconds for one input that hangs: a busy machine may stop for some
    "-rss_limit_mb=1024",
    "-print_final_stats=1",
    "-verbosity=0",
)
START_UP = 180  # seconds that a target may take besides


def main() -> int:
    """Run the targets, as many at once as there are processors; 1 when any finds something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="of fuzzing, over all targets")
    parser.add_argument("targets", nargs="*", help=f"some of {', '.join(SEEDS)}; default: all")
    options = parser.parse_args()
    if unknown := set(options.targets) - SEEDS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    targets = options.targets or list(SEEDS)
    at_once = os.cpu_count() or 1
    seconds = max(1, options.seconds * at_once // len(targets))
    with ThreadPoolExecutor(at_once) as pool:
        holds = pool.map(lambda name: _fuzz(name, seconds), targets)
    failed = [name for name, held in zip(targets, holds, strict=True) if not held]
    sys.stdout.write(f"found something: {', '.join(failed)}\n" if failed else "found nothing\n")
    return 1 if failed else 0


def _fuzz(name: str, seconds: int) -> bool:
    """Whether a target holds for that long; says so."""
    corpus, seeds, found = FOLDER / name, FOLDER / "seeds" / name, FOLDER / "found"
    for folder in (corpus, seeds, found):
        folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(SEEDS[name]):
        (seeds / str(number)).write_bytes(data)
    limits = [*LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={found}/{name}-"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.one", name, *limits, str(corpus), str(seeds)],
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=seconds + START_UP,
        check=False,
    )
    runs = re.search(r"number_of_executed_units:\s*(\d+)", done.stdout)
    said = f"{runs[1]} inputs" if runs else "did not run"
    holds = done.returncode == 0 and runs is not None
    trace = "" if holds else done.stdout[-6000:] + "\n"
    sys.stdout.write(f"{name}: {said}, {'holds' if holds else 'FAILED'}\n{trace}")
    sys.stdout.flush()
    return holds


if __name__ == "__main__":
    sys.exit(main())
