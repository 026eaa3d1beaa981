"""`python requirements/audit.py`: known flaws of the locked dependencies, by pip-audit.

Ends with 1 if there is one. Where the advisories cannot be reached nothing is known: it says so and ends with 0, since
a build without a network is no worse than it was. pip-audit says "no known vulnerabilities" in that case too, which is
why its answer is read here package by package.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).with_name("locked.txt")
SERVICES = ("pypi", "osv")


def verdict(answers: list[dict[str, Any] | None]) -> tuple[int, str]:
    """Exit code and sentence for the answers of the services; None is one that could not be reached."""
    packages = [package for answer in answers if answer for package in answer["dependencies"]]
    flaws = sorted(
        {
            f"{package['name']} {package['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'none'}"
            for package in packages
            for flaw in package.get("vulns", ())
        }
    )
    audited = {package["name"] for package in packages if "vulns" in package}
    skipped = {package["name"] for package in packages} - audited
    if flaws:
        return 1, "Known flaws in locked dependencies:\n" + "\n".join(flaws)
    if not audited:
        return (
            0,
            "NOT AUDITED: no advisory service could be reached. Run it again where the network allows it.",
        )
    rest = f"; not audited: {', '.join(sorted(skipped))}" if skipped else ""
    return 0, f"No known flaw in {len(audited)} locked dependencies{rest}."


def ask(service: str) -> dict[str, Any] | None:
    """What pip-audit found with a service; None if it got no answer."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(LOCK), "--require-hashes", "--disable-pip"]
    command += [
        "--progress-spinner",
        "off",
        "--vulnerability-service",
        service,
        "--format",
        "json",
        "--timeout",
        "15",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        found: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return found


if __name__ == "__main__":
    code, sentence = verdict([ask(service) for service in SERVICES])
    print(sentence)
    sys.exit(code)
