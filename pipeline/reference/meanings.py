"""What the catalogue's relations and their columns mean, as `tbes schema` and the documentation print it.

It stands beside the declarations of `schema` because the relations have columns that no file has: keys of
builds, and patterns taken apart.
"""

from __future__ import annotations

_PRODUCT = "exchange-2003 to exchange-2019, exchange-se"
_NOTE = "What is uncertain or special about the row"
_URL = "Where it is published"
_KEY = "Number that sorts builds: ((major * 1000 + minor) * 100000 + build) * 100000 + revision"
_VALID_FROM = "First day on which the row holds"

CATALOGUE: dict[str, tuple[str, dict[str, str]]] = {
    "ref_builds": (
        "Released builds of Exchange Server, one row a build and product.",
        {
            "build_number": "Build as four integers, 15.1.2507.39",
            "product": _PRODUCT,
            "cumulative_update": "RTM, SPn or CUn; for 2007 and 2010 with the update rollup, SP3 RU32",
            "security_update": "Security or hotfix update in Microsoft's way of naming, Oct25SU; null for none",
            "release_date": "Day of release",
            "kind": "rtm, sp, cu, ru, su (security update) or hu (hotfix update)",
            "kb": "Article of Microsoft's knowledge base; null where none is known",
            "build_key": _KEY,
            "date_precision": "day, or month where only the month is known (release_date is its first day)",
            "sources": "Codes of the sources, explained in SOURCES.md",
            "source_note": _NOTE,
        },
    ),
    "ref_build_aliases": (
        "Build numbers that a source prints wrongly or in a variant, with the one to use.",
        {
            "build_number": "Build as printed",
            "product": _PRODUCT,
            "canonical_build": "Build in ref_builds that is meant",
            "reason": "Who prints it, and why it is the same",
            "build_key": f"Of build_number. {_KEY}",
            "canonical_build_key": "Of canonical_build, made alike",
        },
    ),
    "ref_products": (
        "Names of the products.",
        {
            "product": _PRODUCT,
            "short_name": "Name within a sentence, 2016 or SE",
            "name": "Full name",
            "source_url": _URL,
        },
    ),
    "ref_lifecycle": (
        "End of support, one row a product and version prefix.",
        {
            "product": _PRODUCT,
            "version_prefix": "Major and minor version of its builds, 15.1",
            "mainstream_end": "Last day of mainstream support; null where there is none",
            "extended_end": "Last day of extended support",
            "esu_end": "Last day of the extended security updates one can buy; null where there are none",
            "successor": "Product to go to",
            "note": _NOTE,
            "source": "Where it is published",
        },
    ),
    "ref_cves": (
        "Vulnerabilities and the first build that mends them, one row a CVE, product and line of builds.",
        {
            "cve": "CVE number",
            "product": _PRODUCT,
            "fixed_in_build": "First build of its line without the flaw",
            "kev": "yes where CISA lists it as exploited in the wild, else no",
            "nickname": "Name in the press, ProxyShell",
            "security_update": "Update that mends it, Oct25SU",
            "source": "Where it is published",
            "note": _NOTE,
            "build_key": f"Of fixed_in_build. {_KEY}",
        },
    ),
    "ref_stages": (
        "The ladder of enforcement: what is refused how long after first detection.",
        {
            "stage": "Stage, 1 (report only) to 8",
            "day_from": "Days since first detection at which it begins",
            "day_to": "Days since first detection at which the next begins; null for the last",
            "throttle_minutes_per_hour": "Minutes per hour of 450 4.7.230; null where unknown",
            "block_minutes_per_hour": "Minutes per hour of 550 5.7.230; null where unknown",
            "source": "Where it is published",
            "as_of": "Day on which the source said so",
            "note": _NOTE,
            "valid_from": _VALID_FROM,
            "valid_to": "Last day on which the row holds; null for no end",
        },
    ),
    "ref_baselines": (
        "Floors of enforcement: which builds are accepted from when.",
        {
            "effective_from": "Day from which the floor holds; null where no day is announced",
            "product": _PRODUCT,
            "cumulative_update": "CU the floor is of; null for the whole product",
            "minimum_build": "Lowest build accepted; none where no build is; null where the value is not public",
            "status": "published (by Microsoft), reported (by third parties), announced, disputed or withdrawn",
            "source_url": _URL,
            "note": _NOTE,
            "build_key": f"Of minimum_build; null for none. {_KEY}",
        },
    ),
    "ref_replies": (
        "SMTP replies of transport-based enforcement and those that are mistaken for it.",
        {
            "code_pattern": "Enhanced status code, or a range of its last number, 4.7.500-4.7.699",
            "reply_text_pattern": "Words to find anywhere: lower case, * any text, N a number, | between "
            "alternatives; null where the code alone decides",
            "meaning": "What the reply says",
            "is_tbes": "yes where it is a reply of transport-based enforcement, else no",
            "what_to_do": "What to do about it",
            "source_url": _URL,
            "code_prefix": "First two numbers of the code, 4.7",
            "code_low": "Lowest last number of the code",
            "code_high": "Highest last number of the code",
            "reply_regex": "reply_text_pattern as a regular expression for the lower-cased reply",
        },
    ),
    "ref_hosts": (
        "Host names of Exchange Online and of what must not be taken for it.",
        {
            "suffix": "End of the host name",
            "class": "exchange-online, outlook-com (consumer mail) or client-submission",
            "role": "next hop (takes mail), server (names itself so in replies) or outbound (sends)",
            "cloud": "worldwide, or the national cloud",
            "source_url": _URL,
            "as_of": "Day on which the source said so",
            "note": _NOTE,
        },
    ),
    "ref_retry_intervals": (
        "Defaults of the retry intervals of transport, which bound the delay that a throttle makes.",
        {
            "setting": "Name of the setting, QueueGlitchRetryCount",
            "server_role": "mailbox or edge",
            "default_value": "Its default, in unit",
            "unit": "seconds or attempts",
            "source_url": _URL,
            "as_of": "Day on which the source said so",
            "note": _NOTE,
        },
    ),
    "ref_pause_quotas": (
        "How long enforcement may be paused.",
        {
            "valid_from": _VALID_FROM,
            "days_per_calendar_year": "Days of pause in a calendar year",
            "granted_to": "Whose quota it is: tenant",
            "renews": "When the quota is full again",
            "source_url": _URL,
            "as_of": "Day on which the source said so",
            "note": _NOTE,
        },
    ),
    "ref_catalogue": (
        "One row: the state of the catalogue.",
        {
            "as_of": "Day of the newest fact in the catalogue",
            "builds_as_of": "Day of the newest build",
            "builds_searched_until": "Day up to which builds and fixes were looked for",
            "baselines_as_of": "Day of the newest floor",
            "stages_as_of": "Day of the newest ladder",
            "known_exploited_as_of": "Day of the list of exploited flaws",
            "enforcement_searched_until": "Day up to which texts on enforcement were looked for",
        },
    ),
}
"""Relation -> (what it holds, column -> meaning in the relation's order)."""
