"""The catalogue: what is publicly known of Exchange builds, support, flaws, enforcement and replies.
 Everything is data with a source; where a fact is not public the answer says so and never guesses. How the
tables were made, and what is uncertain in them, stands in `SOURCES.md` beside them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from pipeline.reference import checks, rows, schema, standing
from pipeline.reference.builds import Build, BuildLine
from pipeline.reference.product_names import ReleaseName
from pipeline.reference.reply_patterns import enhanced_codes, parse_code_pattern, text_regex
from pipeline.reference.rows import AliasRow, BuildRow, HostRow, ReplyRow, StageRow
from pipeline.reference.standing import Floor, OpenCve, Support
from pipeline.reference.tables import Cell, load_records, relation

EXCHANGE_ONLINE = "exchange-online"
ROLLUP_PRODUCTS = frozenset({"exchange-2007", "exchange-2010"})
"""Products whose third number is another one in each rollup, so that a line is a service pack there."""
_ONLINE_MINOR = 20


@dataclass(frozen=True, slots=True)
class Relation:
    """A table for SQL: `columns` are (name, DuckDB type), `rows` hold str, int, date or None in their
    order."""

    columns: list[tuple[str, str]]
    rows: list[tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class Behind:
    """How far a build lies behind the newest one listed of its CU line and of its product.

    Counts are released builds that are newer; `days` from the release of the build, or of the listed build
    just below it, to the newest of the line; None if nothing below it is listed.
    """

    newest_of_line: BuildRow
    builds_of_line: int
    days: int | None
    newest_of_product: BuildRow
    builds_of_product: int


class Catalogue:
    """The tables, checked, and the questions asked of them.

    Raises CatalogueError on construction where a file is missing or malformed.
    """

    def __init__(self, overlay: Path | None = None) -> None:
        """Loads the packaged tables, with the CSV files of the folder `overlay` laid over them (see
        `tables`)."""
        self._records = load_records(overlay)
        checks.check(self._records)
        provenance = {r.build("build_number"): r for r in self._records["ref_build_sources"]}
        self.builds: tuple[BuildRow, ...] = tuple(
            sorted(
                (rows.build_row(r, provenance) for r in self._records["ref_builds"]),
                key=lambda row: row.build,
            )
        )
        self.aliases = tuple(rows.alias_row(r) for r in self._records["ref_build_aliases"])
        self.lifecycle = tuple(rows.lifecycle_row(r) for r in self._records["ref_lifecycle"])
        self.cves = tuple(rows.cve_row(r) for r in self._records["ref_cves"])
        self.stages = tuple(
            sorted(
                (rows.stage_row(r) for r in self._records["ref_stages"]),
                key=lambda s: (s.valid_from, s.stage),
            )
        )
        self.baselines = tuple(rows.baseline_row(r) for r in self._records["ref_baselines"])
        self.replies = tuple(rows.reply_row(r) for r in self._records["ref_replies"])
        self.hosts = tuple(rows.host_row(r) for r in self._records["ref_hosts"])
        self._by_build = {row.build: row for row in self.builds}
        self._alias_by_build = {row.build: row for row in self.aliases}
        self._names = {r.text("product"): r for r in self._records["ref_products"]}
        self._dates = {r.text("subject"): r.date("as_of") for r in self._records["ref_catalogue_dates"]}

    # -- dates --------------------------------------------------------------------------------

    @cached_property
    def as_of(self) -> date:
        """Day of the newest fact in the tables: what came after it is unknown to the catalogue."""
        return max(
            self.builds_as_of, self.baselines_as_of, self.stages_as_of, *(host.as_of for host in self.hosts)
        )

    @cached_property
    def builds_as_of(self) -> date:
        """Release day of the newest build."""
        return max(row.release_date for row in self.builds)

    @cached_property
    def baselines_as_of(self) -> date:
        """Day of the newest dated floor."""
        return max(row.effective_from for row in self.baselines if row.effective_from)

    @cached_property
    def stages_as_of(self) -> date:
        """As-of day of the stage table."""
        return max(row.as_of for row in self.stages)

    def dated(self, subject: str) -> date | None:
        """As-of day of a subject of catalogue_dates.csv, such as `known-exploited flags`; None if it has
        no row."""
        return self._dates.get(subject)

    # -- builds ------------------------------------------------------------------------------------

    @cached_property
    def _first_build(self) -> dict[str, Build]:
        first: dict[str, Build] = {}
        for row in self.builds:
            first.setdefault(row.product, row.build)
        return first

    def product_of(self, build: Build | BuildLine) -> str | None:
        """exchange-2003 ... exchange-se, `exchange-online` from 15.20 up, None where no product fits.

        15.2 is 2019 below the first listed build line of SE and SE from there up. The header constants
        8.0.0.0, 14.0.0.0 and 15.0.0.0 are no builds: None.
        """
        if build.major == 15 and build.minor >= _ONLINE_MINOR:
            return EXCHANGE_ONLINE
        if isinstance(build, Build) and build.is_constant:
            return None
        line = build.line if isinstance(build, Build) else build
        prefix = f"{build.major}.{build.minor}"
        products = [row.product for row in self.lifecycle if row.version_prefix == prefix]
        fitting = [p for p in products if p in self._first_build and self._first_build[p].line <= line]
        if fitting:
            return max(fitting, key=lambda p: self._first_build[p])
        return min(products, key=lambda p: self._first_build.get(p, Build(99, 0, 0, 0)), default=None)

    def alias_of(self, build: Build) -> AliasRow | None:
        """The alias row of a build number that some source prints wrongly or as a variant."""
        return self._alias_by_build.get(build)

    def find(self, build: Build) -> BuildRow | None:
        """The released build, an alias resolved; 2003 is matched on three numbers where sources print
        only those."""
        alias = self._alias_by_build.get(build)
        row = self._by_build.get(alias.canonical if alias else build)
        if row is None and build.major == 6:
            row = self._by_build.get(Build(build.major, build.minor, build.build, 0))
        return row

    def canonical(self, build: Build) -> Build:
        """The build to compare with: the listed one where `build` is an alias, else itself."""
        row = self.find(build)
        return row.build if row else build

    def find_release(self, name: ReleaseName) -> BuildRow | None:
        """The released build of a name such as 2016 CU23 Oct25SU; None if none, or more than one, has
        that name."""
        if name.unplaced or (name.cumulative_update is None and name.security_update is None):
            return None
        named = [
            row
            for row in self.builds
            if row.product == name.product
            and (name.cumulative_update is None or row.cumulative_update == name.cumulative_update)
            and row.security_update == name.security_update
        ]
        return named[0] if len(named) == 1 else None

    def cu_line(self, build: Build | BuildLine) -> str | None:
        """The cumulative update of a build, listed or not: CU23, RTM; of 2007 and 2010 the service pack, SP3.

        None where no listed build shares the line (for 2003, 2007 and 2010: the major.minor prefix).
        """
        product = self.product_of(build)
        if product in ROLLUP_PRODUCTS:
            return self._service_packs.get((build.major, build.minor))
        if product == "exchange-2003":
            row = self.find(build) if isinstance(build, Build) else None
            return row.cumulative_update if row else None
        return self._lines.get(build.line if isinstance(build, Build) else build)

    @cached_property
    def _lines(self) -> dict[BuildLine, str]:
        return {row.build.line: row.cumulative_update for row in self.builds}

    @cached_property
    def _service_packs(self) -> dict[tuple[int, int], str]:
        return {
            (row.build.major, row.build.minor): row.cumulative_update.split()[0]
            for row in self.builds
            if row.product in ROLLUP_PRODUCTS
        }

    def short_product(self, product: str) -> str:
        """2016, SE, ...; `Exchange Online` for the service."""
        if product == EXCHANGE_ONLINE:
            return "Exchange Online"
        return self._names[product].text("short_name") if product in self._names else product

    def full_product(self, product: str) -> str:
        """Exchange Server 2016, ..."""
        if product == EXCHANGE_ONLINE:
            return "Exchange Online"
        return self._names[product].text("name") if product in self._names else product

    def name_of(self, build: Build) -> str:
        """`2016 CU23 Oct25SU`, `SE RTM Oct25SU`, `2010 SP3 RU32`, `unlisted build of 2019 CU15`,
        `Exchange Online`."""
        product = self.product_of(build)
        if product == EXCHANGE_ONLINE:
            return "Exchange Online"
        if product is None:
            return "no build (a constant of the log header)" if build.is_constant else "unknown build"
        row = self.find(build)
        if row:
            return self.release_name(row)
        line = self.cu_line(build)
        return f"unlisted build of {self.short_product(product)}" + (f" {line}" if line else "")

    def release_name(self, row: BuildRow) -> str:
        """The name of a listed build."""
        return " ".join(
            filter(None, (self.short_product(row.product), row.cumulative_update, row.security_update))
        )

    def behind(self, build: Build) -> Behind | None:
        """How far behind the newest listed builds; None for Exchange Online, constants and unknown lines."""
        build = self.canonical(build)
        product, line = self.product_of(build), self.cu_line(build)
        if product is None or line is None:
            return None
        of_product = [row for row in self.builds if row.product == product]
        of_line = [row for row in of_product if self.cu_line(row.build) == line]
        at = bisect_right(of_line, build, key=lambda row: row.build)
        days = (of_line[-1].release_date - of_line[at - 1].release_date).days if at else None
        newer = sum(row.build > build for row in of_product)
        return Behind(of_line[-1], len(of_line) - at, days, of_product[-1], newer)

    # -- how a build stands ------------------------------------------------------------------------

    def floor_of(self, build: Build, on: date) -> Floor:
        """How the floor of enforcement stands to a build on a day; see `standing.floor`."""
        build = self.canonical(build)
        return standing.floor(self.baselines, self.product_of(build), self.cu_line(build), build, on)

    def open_cves(self, build: Build) -> tuple[OpenCve, ...]:
        """Flaws that a build leaves open, known-exploited ones first; see `standing.open_cves`."""
        build = self.canonical(build)
        return standing.open_cves(self.cves, self.product_of(build), build)

    def cves_needing_configuration(self, build: Build) -> tuple[OpenCve, ...]:
        """Flaws that the build fixes only together with a setting (`needs-config`)."""
        build = self.canonical(build)
        return standing.needing_configuration(self.cves, self.product_of(build), build)

    def support(self, build: Build, on: date) -> Support:
        """Whether Microsoft supports the build's product on a day; see `standing.support`."""
        build = self.canonical(build)
        return standing.support(self.lifecycle, self.builds, self.product_of(build), build, on)

    # -- replies and hosts -------------------------------------------------------------------------

    def match_replies(self, text: str) -> list[ReplyRow]:
        """Rows of the reply table that a reply fits, enforcement first, then the innermost code's rows.

        Rows with words come before rows with the code alone, which count only if no row of the code has its
        words.
        """
        words = re.sub(r"\s+", " ", text).lower()
        found: list[ReplyRow] = []
        for code in reversed(enhanced_codes(text)):
            coded = [
                row for row in self.replies if (r := parse_code_pattern(row.code_pattern)) and r.holds(code)
            ]
            worded = [
                row for row in coded if row.text_pattern and re.search(text_regex(row.text_pattern), words)
            ]
            found.extend(worded or [row for row in coded if not row.text_pattern])
        unique = list(dict.fromkeys(found))
        return sorted(unique, key=lambda row: not row.is_tbes)

    def host_of(self, name: str) -> HostRow | None:
        """The row of the longest suffix that a host name ends in at a label, case ignored; None if none."""
        host = name.strip().rstrip(".").lower()
        fitting = [row for row in self.hosts if host == row.suffix or host.endswith("." + row.suffix)]
        return max(fitting, key=lambda row: len(row.suffix), default=None)

    def stages_on(self, day: date) -> tuple[StageRow, ...]:
        """The ladder valid on a day; before the first ladder, the first."""
        starts = sorted({row.valid_from for row in self.stages})
        start = starts[max(bisect_right(starts, day) - 1, 0)]
        return tuple(row for row in self.stages if row.valid_from == start)

    # -- SQL ---------------------------------------------------------------------------------------

    def tables(self) -> dict[str, Relation]:
        """The catalogue for a SQL session, by relation name (`ref_builds`, ...).

        Columns are those of the CSV files, dates as DATE, numbers as INTEGER, empty as NULL, and a BIGINT
        `build_key` beside every build. Beyond the files: `ref_builds` has date_precision, sources and
        source_note, `ref_replies` has code_prefix, code_low, code_high (the code pattern taken apart) and
        reply_regex (for a search in the lower-cased reply), and `ref_catalogue` has one row of as-of dates.
        """
        merged = {
            table.name: Relation(*relation(table, self._records[table.name]))
            for table in schema.TABLES
            if table not in (schema.PROVENANCE, schema.DATES)
        }
        builds = merged["ref_builds"]
        builds.columns.extend(
            [("date_precision", "VARCHAR"), ("sources", "VARCHAR"), ("source_note", "VARCHAR")]
        )
        by_text = {str(row.build): row for row in self.builds}
        builds.rows[:] = [
            (*cells, row.date_precision, row.sources, row.note)
            for cells in builds.rows
            for row in (by_text[str(cells[0])],)
        ]
        replies = merged["ref_replies"]
        replies.columns.extend(
            [
                ("code_prefix", "VARCHAR"),
                ("code_low", "INTEGER"),
                ("code_high", "INTEGER"),
                ("reply_regex", "VARCHAR"),
            ]
        )
        replies.rows[:] = [(*cells, *_taken_apart(cells)) for cells in replies.rows]
        merged["ref_catalogue"] = Relation(
            [
                ("as_of", "DATE"),
                ("builds_as_of", "DATE"),
                ("builds_searched_until", "DATE"),
                ("baselines_as_of", "DATE"),
                ("stages_as_of", "DATE"),
                ("known_exploited_as_of", "DATE"),
                ("enforcement_searched_until", "DATE"),
            ],
            [
                (
                    self.as_of,
                    self.builds_as_of,
                    self.dated("builds searched until"),
                    self.baselines_as_of,
                    self.stages_as_of,
                    self.dated("known-exploited flags"),
                    self.dated("enforcement texts searched until"),
                )
            ],
        )
        return merged


def _taken_apart(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    codes = parse_code_pattern(str(cells[0]))
    regex = text_regex(str(cells[1])) if cells[1] else None
    return (codes.prefix, codes.low, codes.high, regex) if codes else (None, None, None, regex)
