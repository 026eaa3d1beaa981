"""Checks of the catalogue as a whole, beyond the cells of one row."""

from __future__ import annotations

import re
from itertools import groupby

from pipeline.reference.builds import Build, parse_build
from pipeline.reference.reply_patterns import parse_code_pattern, text_regex
from pipeline.reference.tables import Record

NONE_ACCEPTED = "none"


def check(records: dict[str, list[Record]]) -> None:
    """Raises CatalogueError, naming file and line, for the first row that contradicts another or itself."""
    _check_builds(records)
    _check_stages(records["ref_stages"])
    for baseline in records["ref_baselines"]:
        minimum = baseline.text("minimum_build")
        if minimum not in ("", NONE_ACCEPTED) and parse_build(minimum) is None:
            raise baseline.fault(
                f"minimum_build is {minimum!r}; it may be a build, none, or empty (not public)"
            )
        if baseline.date("effective_from") is None and baseline.text("status") != "announced":
            raise baseline.fault("effective_from is empty; only an announced floor may have no date")
    for reply in records["ref_replies"]:
        if parse_code_pattern(reply.text("code_pattern")) is None:
            raise reply.fault("code_pattern is neither a.b.c nor a.b.c-a.b.d")
        words = reply.text("reply_text_pattern")
        try:
            if set(words) & set("[]^\\"):
                raise re.error("[ ] ^ and backslash are not words")
            re.compile(text_regex(words))
        except re.error as error:
            raise reply.fault(f"reply_text_pattern cannot be searched for: {error}") from error
    for host in records["ref_hosts"]:
        if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host.text("suffix")):
            raise host.fault("suffix is not a host name in small letters without a leading dot")


def _check_builds(records: dict[str, list[Record]]) -> None:
    sources = {(r.build("build_number"), r.text("product")) for r in records["ref_build_sources"]}
    listed: dict[Build, Record] = {}
    prefixes = {(r.text("product"), r.text("version_prefix")) for r in records["ref_lifecycle"]}
    for record in records["ref_builds"]:
        build, product = record.build("build_number"), record.text("product")
        if build is None:
            continue
        if build in listed:
            raise record.fault(f"{build} is listed for {listed[build].text('product')} too")
        if (product, f"{build.major}.{build.minor}") not in prefixes:
            raise record.fault(f"{build} is no version of {product}")
        if (build, product) not in sources:
            raise record.fault(f"{build} has no source in exchange_builds_provenance.csv")
        listed[build] = record
    for alias in records["ref_build_aliases"]:
        canonical = alias.build("canonical_build")
        if canonical not in listed:
            raise alias.fault(f"canonical_build {canonical} is not in exchange_builds.csv")
        if alias.build("build_number") in listed:
            raise alias.fault(f"{alias.text('build_number')} is a released build in exchange_builds.csv")
    for cve in records["ref_cves"]:
        fixed = cve.build("fixed_in_build")
        if fixed and (cve.text("product"), f"{fixed.major}.{fixed.minor}") not in prefixes:
            raise cve.fault(f"{fixed} is no version of {cve.text('product')}")
    named = {r.text("product") for r in records["ref_products"]}
    for record in records["ref_lifecycle"]:
        if record.text("product") not in named:
            raise record.fault(f"{record.text('product')} has no row in product_names.csv")


def _check_stages(records: list[Record]) -> None:
    ordered = sorted(records, key=lambda r: (r.text("valid_from"), r.integer("stage") or 0))
    for _, group in groupby(ordered, key=lambda r: r.text("valid_from")):
        ladder = list(group)
        if ladder[0].integer("day_from") != 0:
            raise ladder[0].fault("the first stage must begin on day 0")
        for number, (record, following) in enumerate(zip(ladder, [*ladder[1:], None], strict=True), start=1):
            day_from, day_to = record.integer("day_from"), record.integer("day_to")
            if record.integer("stage") != number:
                raise record.fault(f"stage is {record.text('stage')}, {number} is next")
            if following is None:
                if day_to is not None:
                    raise record.fault("day_to of the last stage must be empty: it has no end")
            elif day_to is None or day_from is None or day_to <= day_from:
                raise record.fault("day_to must be after day_from: stages are half-open, [day_from, day_to)")
            elif following.integer("day_from") != day_to:
                raise following.fault(
                    f"day_from is {following.text('day_from')}, the stage before ends on {day_to}"
                )
            for column in ("throttle_minutes_per_hour", "block_minutes_per_hour"):
                minutes = record.integer(column)
                if minutes is not None and minutes > 60:
                    raise record.fault(f"{column} is above 60")
