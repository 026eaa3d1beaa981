"""Reports as `Get-OnPremServerReportInfo` prints them, in the words of several cultures.

The one public output (https://www.a6n.co.uk/2024/05/older-exchange-and-throttling-with-exo.html), with a host
name of our own. Its dates: detected 2024-03-28, throttle 04-27, block 05-27, next stage 05-23, all 00:15:08.
"""

from __future__ import annotations

from datetime import UTC, datetime

FIELDS = ("FirstDetectedDate", "ThrottleEnabledDate", "BlockingEnabledDate", "NextStageStartDate")
TRUE_DATES = (
    datetime(2024, 3, 28, 0, 15, 8, tzinfo=UTC),
    datetime(2024, 4, 27, 0, 15, 8, tzinfo=UTC),
    datetime(2024, 5, 27, 0, 15, 8, tzinfo=UTC),
    datetime(2024, 5, 23, 0, 15, 8, tzinfo=UTC),
)
UK = ("28/03/2024 00:15:08", "27/04/2024 00:15:08", "27/05/2024 00:15:08", "23/05/2024 00:15:08")
CULTURES: dict[str, tuple[str, str, str, str]] = {
    "en-GB": UK,
    "en-US": (
        "3/28/2024 12:15:08 AM",
        "4/27/2024 12:15:08 AM",
        "5/27/2024 12:15:08 AM",
        "5/23/2024 12:15:08 AM",
    ),
    "en-US, narrow space": (
        "3/28/2024 12:15:08\u202fAM",
        "4/27/2024 12:15:08\u202fAM",
        "5/27/2024 12:15:08\u202fAM",
        "5/23/2024 12:15:08\u202fAM",
    ),
    "de-DE": ("28.03.2024 00:15:08", "27.04.2024 00:15:08", "27.05.2024 00:15:08", "23.05.2024 00:15:08"),
    "fi-FI": ("28.3.2024 0.15.08", "27.4.2024 0.15.08", "27.5.2024 0.15.08", "23.5.2024 0.15.08"),
    "hu-HU": (
        "2024. 03. 28. 0:15:08",
        "2024. 04. 27. 0:15:08",
        "2024. 05. 27. 0:15:08",
        "2024. 05. 23. 0:15:08",
    ),
    "sv-SE": ("2024-03-28 00:15:08", "2024-04-27 00:15:08", "2024-05-27 00:15:08", "2024-05-23 00:15:08"),
    "ja-JP": ("2024/03/28 0:15:08", "2024/04/27 0:15:08", "2024/05/27 0:15:08", "2024/05/23 0:15:08"),
    "ko-KR": (
        "2024-03-28 오전 12:15:08",
        "2024-04-27 오전 12:15:08",
        "2024-05-27 오전 12:15:08",
        "2024-05-23 오전 12:15:08",
    ),
    "th-TH": ("28/3/2567 0:15:08", "27/4/2567 0:15:08", "27/5/2567 0:15:08", "23/5/2567 0:15:08"),
    "long English": (
        "Thursday, March 28, 2024 12:15:08 AM",
        "Saturday, April 27, 2024 12:15:08 AM",
        "Monday, May 27, 2024 12:15:08 AM",
        "Thursday, May 23, 2024 12:15:08 AM",
    ),
    "long German": (
        "Donnerstag, 28. März 2024 00:15:08",
        "Samstag, 27. April 2024 00:15:08",
        "Montag, 27. Mai 2024 00:15:08",
        "Donnerstag, 23. Mai 2024 00:15:08",
    ),
    "long Spanish": (
        "jueves, 28 de marzo de 2024 0:15:08",
        "sábado, 27 de abril de 2024 0:15:08",
        "lunes, 27 de mayo de 2024 0:15:08",
        "jueves, 23 de mayo de 2024 0:15:08",
    ),
    "short names": ("28-Mar-24 00:15:08", "27-Apr-24 00:15:08", "27-May-24 00:15:08", "23-May-24 00:15:08"),
    "ISO": (
        "2024-03-28T00:15:08Z",
        "2024-04-27T00:15:08Z",
        "2024-05-27T00:15:08Z",
        "2024-05-23T00:15:08.0000000Z",
    ),
    "offset": (
        "28/03/2024 01:15:08 +01:00",
        "27/04/2024 01:15:08 +01:00",
        "27/05/2024 01:15:08 +01:00",
        "23/05/2024 01:15:08 +01:00",
    ),
    "5.1 JSON": (
        "/Date(1711584908000)/",
        "/Date(1714176908000)/",
        "/Date(1716768908000)/",
        "/Date(1716423308000)/",
    ),
}
BUILDS = "15.1.2507.39,15.1.2507.37,15.1.2507.31,15.01.2507.039,15.01.2507.037,15.01.2507.031"


def format_list(
    dates: tuple[str, ...] = UK,
    fqdn: str = "Exch1.fabrikam.example",
    build: str = "15.1.2507.16",
    rates: tuple[str, str] = ("20", "0"),
    builds: str = BUILDS,
) -> str:
    """One server as Format-List prints it; an empty date is an empty cell."""
    first, throttle, block, following = dates
    return f"""
ServerFQDN               : {fqdn}
Build                    : {build}
ExchangeServer           : ExchangeServer2016
FirstDetectedDate        : {first}
RecommendedBuildVersions : {builds}
ThrottleEnabledDate      : {throttle}
BlockingEnabledDate      : {block}
NextStageThrottleRate    : {rates[0]}
NextStageBlockRate       : {rates[1]}
NextStageStartDate       : {following}

"""
