"""Names of months in the cultures that administrators' shells run in; accents left out, lower case.

Names that mean two months in two languages are left out (`listopad` is October in Croatian, November in
Polish and Czech): a date that cannot be read is told, a wrong one would not be.
"""

from __future__ import annotations

import unicodedata

_NAMES: dict[int, str] = {
    1: "jan januar january janv janvier ene enero gen gennaio janeiro januari styczen stycznia sty led "
    "leden ledna tammi tammikuuta januaris oca ocak ian ianuarie янв января січ січня ιαν ιανουαριου",
    2: "feb februar february fevr fevrier fev febrero febbraio fevereiro februari luty lutego lut uno "
    "unor unora helmi helmikuuta subat sub februarie фев февраля лют лютого φεβ φεβρουαριου",
    3: "mar march mrz marz maerz mars marzo marco maart mrt marzec marca bre brezen brezna maalis "
    "maaliskuuta martie mart мар марта бер березня μαρ μαρτιου",
    4: "apr april avr avril abr abril aprile kwi kwiecien kwietnia dub duben dubna huhti huhtikuuta "
    "nisan nis aprilie апр апреля кві квітня απρ απριλιου",
    5: "may mai mayo mag maggio maio mei maj maja kve kveten kvetna touko toukokuuta mayis мая май тра "
    "травня μαι μαιου",
    6: "jun june juni juin junio giu giugno junho czerwiec czerwca cze cvn cerven cervna kesa kesakuuta "
    "haziran haz iunie iun июн июня чер червня ιουν ιουνιου",
    7: "jul july juli juil juillet julio lug luglio julho lipiec lipca cvc cervenec cervence heina "
    "heinakuuta temmuz tem iulie iul июл июля лип липня ιουλ ιουλιου",
    8: "aug august aout ago agosto augustus sierpien sierpnia sie srp srpen srpna elo elokuuta agustos "
    "agu augusti avg авг августа сер серпня αυγ αυγουστου",
    9: "sep sept september septembre septiembre set settembre setembro wrzesien wrzesnia wrz zar zari "
    "syys syyskuuta eylul eyl septembrie сен сентября вер вересня σεπ σεπτεμβριου",
    10: "oct october okt oktober octobre octubre ott ottobre out outubro pazdziernik pazdziernika paz rij "
    "rijen rijna loka lokakuuta ekim eki octombrie окт октября жов жовтня οκτ οκτωβριου",
    11: "nov november novembre noviembre novembro marras marraskuuta kasim kas noiembrie noi ноя ноября "
    "лис листопада νοε νοεμβριου",
    12: "dec december dez dezember decembre dic diciembre dicembre dezembro desember des grudzien grudnia "
    "gru pro prosinec prosince joulu joulukuuta aralik ara decembrie дек декабря гру грудня δεκ "
    "δεκεμβριου",
}


def plain(text: str) -> str:
    """Small letters without accents."""
    taken_apart = unicodedata.normalize("NFKD", text.lower().replace("ı", "i"))
    return "".join(letter for letter in taken_apart if not unicodedata.combining(letter))


_MONTHS = {plain(name): month for month, names in _NAMES.items() for name in names.split()}


def month_of(word: str) -> int | None:
    """1 to 12; None for any other word."""
    return _MONTHS.get(plain(word).strip("."))
