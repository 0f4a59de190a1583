"""The words that count, date and name: with `wording`, the one place that knows a language.

Each word has a role, one character, so that a run of words can be read with a regular expression over the
string of their roles (see `values`). The roles:

    n number word   1 the word for one   + scale (hundred)   i a, an     & and    o ordinal    t its ending
    f fraction      F half               G half, joined only R part      V a vulgar fraction sign
    $ money sign    c money word         C money code        j whose money
    u unit          U short unit, after digits only          Q square    % per cent
    M month         m month that is also a word: capitalised, or else w  N month cut short     W weekday
    z century       Z decade             b BC, AD            A am, pm    K noon
    O of            I a word before a date                   X the, this
    E in            - hyphen             / stroke             , comma             . full stop ( bracket

A word that begins with # counts only directly after digits: `48m`, `10th`. A language that is not here has
the neutral signs only: digits, money signs and codes, short units.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from index.folding import fold

__all__ = ["Lexicon", "Word", "lexicon"]


class Word(NamedTuple):
    """What a word is to a value: its role, and what it is worth (a number, a code, a month's number)."""

    role: str
    worth: int | str = 0


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A language's words.

    `words` are those of values, each with its role; `phrases` are the ones of several tokens; `decimal` is
    the decimal sign; `joins_tens` says whether the word for and stands inside a number below a hundred
    (treinta y uno); `sets` are lists of words about questions and names, by name, without accents.
    """

    words: dict[str, Word]
    phrases: tuple[str, ...] = ()
    decimal: str = "."
    joins_tens: bool = False
    sets: dict[str, frozenset[str]] = field(default_factory=dict)

    def any_of(self, name: str) -> frozenset[str]:
        """Return the words of a named set; none where the language has no such set."""
        return self.sets.get(name, frozenset())


def _numbered(role: str, words: str, first: int = 1, step: int = 1) -> dict[str, Word]:
    """Give each word of a list the next number; words parted by a stroke share one."""
    return {
        word: Word(role, first + step * place)
        for place, group in enumerate(words.split())
        for word in group.split("/")
    }


def _coded(role: str, pairs: str) -> dict[str, Word]:
    """Read `code: word word; code: word`: each word is worth the code before it, a number if it is one."""
    found = {}
    for pair in pairs.split(";"):
        code, words = pair.split(":")
        worth = int(code) if code.strip().isdecimal() else code.strip()
        found.update({word: Word(role, worth) for word in words.split()})
    return found


def _plain(role: str, words: str) -> dict[str, Word]:
    return {word: Word(role) for word in words.split()}


_NEUTRAL = {
    **_coded("$", "gbp: £; usd: $; eur: €; jpy: ¥; inr: ₹; ils: ₪; krw: ₩; rub: ₽; uah: ₴; try: ₺; vnd: ₫"),
    **_coded("C", "gbp: gbp; usd: usd; eur: eur; jpy: jpy; chf: chf; cny: cny; inr: inr; czk: czk; sek: sek"),
    **_coded("j", "usd: us"),
    **_coded(
        "U",
        """m: m; km: km; cm: cm; mm: mm; ft: ft; mi: mi; kg: kg; g: g; mg: mg; lb: lb lbs; ha: ha; l: l;
        h: h hrs; min: min mins; s: sec secs; kmh: km/h kph; mph: mph; ms: m/s; hz: hz; mhz: mhz; ghz: ghz;
        w: w; kw: kw; mw: mw; gw: gw; kwh: kwh; mwh: mwh; gb: gb; mb: mb; tb: tb; c: °c; f: °f; deg: °;
        ml: ml; km2: km²; m2: m²; m3: m³; oz: oz; v: v""",
    ),
    **_coded("+", "1000: #k; 1000000: #m #mn mn; 1000000000: #b #bn bn; 1000000000000: #tn #trn tn trn"),
    **_coded(
        "V", "1/2: ½; 1/3: ⅓; 2/3: ⅔; 1/4: ¼; 3/4: ¾; 1/5: ⅕; 2/5: ⅖; 3/5: ⅗; 4/5: ⅘; 1/8: ⅛; 3/8: ⅜; 5/8: ⅝"
    ),
    **_plain("-", "- ‐ ‑ – —"),
    **_plain("/", "/ ⁄"),
    **_plain(",", ","),
    **_plain(".", "."),
    **_plain("%", "%"),
    **_plain("t", "#º #ª"),
    **_plain("(", "( ["),
}

_ENGLISH = {
    **_numbered("n", "zero", 0),
    "one": Word("1", 1),
    **_numbered("n", "two three four five six seven eight nine ten eleven twelve thirteen fourteen", 2),
    **_numbered("n", "fifteen sixteen seventeen eighteen nineteen", 15),
    **_numbered("n", "twenty thirty forty/fourty fifty sixty seventy eighty ninety", 20, 10),
    **_coded(
        "+",
        """12: dozen dozens; 100: hundred hundreds; 1000: thousand thousands; 1000000: million millions;
        1000000000: billion billions; 1000000000000: trillion trillions""",
    ),
    **_numbered("o", "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"),
    **_numbered("o", "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth", 13),
    **_numbered("o", "twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth", 20, 10),
    **_coded("o", "100: hundredth; 1000: thousandth; 1000000: millionth"),
    **_plain("t", "#st #nd #rd #th"),
    **_numbered("f", "thirds quarters/quarter/fourths fifths sixths sevenths eighths ninths tenths", 3),
    **_coded("f", "100: hundredths; 1000: thousandths"),
    **_plain("F", "half halves"),
    **_coded("i", "1: a an"),
    **_plain("&", "and"),
    **_plain("O", "of"),
    **_plain("E", "in"),
    **_plain("X", "the this that these those his her its their our my your"),
    **_plain(
        "I",
        """since until till by from during before after around circa early late mid last next between to
        through on year years""",
    ),
    **_plain("%", "percent pct"),
    "percentage point": Word("%"),
    "percentage points": Word("%"),
    "per cent": Word("%"),
    **_coded(
        "c",
        """usd: dollar dollars; gbp: pound pounds sterling quid; eur: euro euros; jpy: yen;
        cny: yuan renminbi; inr: rupee rupees; rub: rouble roubles ruble rubles; chf: franc francs;
        peso: peso pesos; crown: crown crowns krona kronor krone kroner; mark: mark marks; lira: lira liras;
        florin: florin florins guilder guilders; usd/100: cent cents; gbp/100: penny pennies pence;
        shilling: shilling shillings; krw: won""",
    ),
    **_coded("j", "usd: american u.s.; cad: canadian; aud: australian; nzd: zealand; hkd: kong"),
    **_coded(
        "u",
        """m: metre metres meter meters; km: kilometre kilometres kilometer kilometers; mi: mile miles;
        cm: centimetre centimetres centimeter centimeters; mm: millimetre millimetres millimeter millimeters;
        ft: foot feet; in: inch inches; yd: yard yards; kg: kilogram kilograms kilo kilos; g: gram grams;
        t: ton tons tonne tonnes; lb: lb; oz: ounce ounces; l: litre litres liter liters; gal: gallon gallons;
        ha: hectare hectares; ac: acre acres; deg: degree degrees; h: hour hours; min: minute minutes;
        s: seconds; day: day days; week: week weeks; month: month months; year: year years;
        decade: decade decades; century: centuries; w: watt watts; kw: kilowatt kilowatts;
        mw: megawatt megawatts; gw: gigawatt gigawatts; v: volt volts; nmi: knot knots; kmh: kmh""",
    ),
    **_coded("Q", "2: square sq; 3: cubic"),
    **_numbered(
        "M",
        """january february march april may june july august september october november december""",
    ),
    **_coded(
        "N", "1: jan; 2: feb; 3: mar; 4: apr; 6: jun; 7: jul; 8: aug; 9: sep sept; 10: oct; 11: nov; 12: dec"
    ),
    **_numbered("W", "monday tuesday wednesday thursday friday saturday sunday"),
    **_coded("m", "3: march; 5: may"),
    **_plain("z", "century"),
    **_plain("Z", "decade"),
    **_coded("b", "bc: bc bce b.c. b.c.e.; ad: ad ce a.d."),
    **_coded("A", "am: am a.m.; pm: pm p.m.; clock: o'clock o’clock"),
    **_coded("K", "12: noon midday; 0: midnight"),
    "#p": Word("c", "gbp/100"),
}

_SPANISH = {
    **_numbered("n", "cero", 0),
    "uno": Word("1", 1),
    **_coded("i", "1: un una"),
    **_numbered("n", "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince", 2),
    **_numbered("n", "dieciséis diecisiete dieciocho diecinueve veinte veintiún/veintiuno/veintiuna", 16),
    **_numbered("n", "veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho", 22),
    **_coded("n", "29: veintinueve; 500: quinientos quinientas; 700: setecientos setecientas"),
    **_numbered("n", "treinta cuarenta cincuenta sesenta setenta ochenta noventa", 30, 10),
    **_numbered("n", "cien/ciento doscientos/doscientas trescientos/trescientas", 100, 100),
    **_coded(
        "n", "400: cuatrocientos cuatrocientas; 600: seiscientos seiscientas; 800: ochocientos ochocientas"
    ),
    **_coded("n", "900: novecientos novecientas"),
    **_coded(
        "+",
        """12: docena docenas; 1000: mil miles; 1000000: millón millones; 1000000000: millardo millardos;
        1000000000000: billón billones; 100: centenar centenares cientos; 10: decenas""",
    ),
    **_numbered("o", "primero/primera/primer segundo/segunda tercero/tercera/tercer cuarto/cuarta"),
    **_numbered(
        "o", "quinto/quinta sexto/sexta séptimo/séptima octavo/octava noveno/novena décimo/décima", 5
    ),
    **_plain("t", "#er #ro #ra #do #da #to #ta #mo #ma #vo #va #no #na #o #a"),
    **_numbered("f", "tercio/tercios cuartos/cuartas quintos/quintas sextos/sextas", 3),
    **_plain("F", "mitad"),
    **_plain("G", "medio media"),
    **_plain("R", "parte partes"),
    **_plain("&", "y"),
    **_plain("O", "de del"),
    **_plain("X", "el la los las este esta estos estas su sus"),
    **_plain("I", "en desde hasta durante antes tras hacia año años entre a"),
    "por ciento": Word("%"),
    "por cien": Word("%"),
    **_coded(
        "c",
        """usd: dólar dólares; gbp: libra libras; eur: euro euros; jpy: yen yenes; cny: yuan yuanes;
        inr: rupia rupias; rub: rublo rublos; chf: franco francos; peso: peso pesos; crown: corona coronas;
        mark: marco marcos; usd/100: centavo centavos; eur/100: céntimo céntimos""",
    ),
    **_coded("j", "usd: estadounidenses americanos"),
    **_coded(
        "u",
        """m: metro metros; km: kilómetro kilómetros; mi: milla millas; cm: centímetro centímetros;
        mm: milímetro milímetros; ft: pie pies; in: pulgada pulgadas; yd: yarda yardas; g: gramo gramos;
        kg: kilogramo kilogramos kilo kilos; t: tonelada toneladas; l: litro litros; ha: hectárea hectáreas;
        ac: acre acres; deg: grado grados; h: hora horas; min: minuto minutos; s: segundos; day: día días;
        week: semana semanas; month: mes meses; year: año años; decade: décadas; century: siglos;
        w: vatio vatios; kw: kilovatio kilovatios; mw: megavatio megavatios""",
    ),
    **_numbered(
        "M",
        """
        enero febrero marzo abril mayo junio julio agosto septiembre/setiembre octubre noviembre diciembre
        """,
    ),
    **_numbered("W", "lunes martes miércoles jueves viernes sábado domingo"),
    **_plain("z", "siglo"),
    **_plain("Z", "década"),
    **_coded("b", "bc: a.c. a.e.c.; ad: d.c. e.c."),
    **_coded("A", "am: a.m.; pm: p.m."),
    **_coded("K", "12: mediodía; 0: medianoche"),
}


def _with_bare(words: dict[str, Word]) -> dict[str, Word]:
    """Add each word without its accents: people type questions so."""
    return {**{fold(word): worth for word, worth in words.items() if word.isalpha()}, **words}


def _sets(**lists: str) -> dict[str, frozenset[str]]:
    return {name: frozenset(fold(words).split()) for name, words in lists.items()}


def _lexicon(
    words: dict[str, Word], sets: dict[str, frozenset[str]], decimal: str, joins_tens: bool
) -> Lexicon:
    every = _with_bare({**_NEUTRAL, **words})
    phrases = sorted((word for word in every if _is_phrase(word)), key=len, reverse=True)
    return Lexicon(every, tuple(phrases), decimal, joins_tens, sets)


def _is_phrase(word: str) -> bool:
    return len(word) > 1 and not word.isalpha() and not word.startswith("#")


_ENGLISH_SETS = _sets(
    # The words that ask, with the slips that people make.
    who="who whom whose whos who's who're",
    when="when whens when's wen",
    where="where wheres where's wher were's",
    why="why whys why's",
    how="how hows how's hwo",
    what="what whats what's wat which wich whihc",
    what_is="whats what's",
    many="many few",
    much="much",
    # What stands after how: the answer is a number, mostly with a unit, or a time.
    measured="""
        old tall high deep far big large fast heavy wide thick often hot cold small close near loud strong""",
    long="long",
    ago="ago",
    how_reason="come",
    name_itself="name names",
    # Words that end the noun that is asked for.
    verbs="""is are was were be been did do does has have had can could will would should may might must isn't
        wasn't aren't weren't didn't doesn't""",
    stops="""
        of that which who in on at for from by with to as and or when where during between about into than
        after before under over whose""",
    articles="the a an",
    # Nouns, by what they name.
    person="""person people man woman men women president king queen author writer singer actor actress artist
        scientist player coach quarterback leader founder emperor minister director inventor architect
        composer poet painter general pope bishop chairman ceo wife husband father mother son daughter
        brother sister child politician explorer philosopher professor mayor captain engineer designer
        owner winner character dynasty performer host mathematician physicist researcher ruler commander
        governor judge monarch prince princess duke keeper baker mvp secretary manager musician historian""",
    place="""city cities country countries state states town towns village river rivers continent place places
        location region regions area county counties island islands mountain mountains stadium street road
        nation nations province provinces district capital sea ocean lake building venue neighborhood
        neighbourhood airport desert valley suburb port territory site headquarters hometown birthplace
        park museum school college university hospital""",
    number="""
        number population amount quantity height length width depth weight distance speed size temperature
        age score total area density altitude elevation frequency record""",
    money="""cost costs price prices salary wage wages pay paid revenue revenues budget fee fees fine fund
        worth""",
    money_verbs="""
        cost costs pay paid spend spent earn earned earns worth charge charged price money dollars""",
    share="percentage percent percents proportion fraction share rate portion",
    date="year years date day month century decade era period season time",
    year="year",
    date_only="year date day month century decade",
    duration="duration",
    reason="reason reasons cause causes caused purpose motive motivation",
    name="""name names title company companies team teams band group organization organisation party club
        language treaty newspaper magazine book novel film movie song album agency brand network channel
        league award religion war battle law act university school college ship planet station university""",
    said="said says stated wrote argued claimed believed described called told according",
    say="say said says claim claimed argue argued state stated tell told think thought believe believed",
    list="name list give types kinds examples ways",
    plural_is="are were",
    # Names: what holds one together, stands before or after one, and which are no person's.
    joiners="of the de del la van von der den bin ibn al du da di le y",
    titles="""
        dr mr mrs ms sir st prof lord lady king queen pope saint president general captain emperor prince""",
    before_place="in at near from to into outside across around throughout within toward towards",
    before_person="by",
    after_person="""
        said wrote was who is had has won led told became argued led born died invented founded discovered
        says served played kept built designed made directed created published proposed""",
    past="ed",
    place_names="""
        river lake mount mountain city county island islands street avenue road park stadium square sea
        ocean valley bay bridge castle tower house hall airport station hill hills desert""",
    other_names="""
        the university college school bank church league club company corporation party council museum
        institute act treaty war battle agreement association society department ministry court center
        centre committee commission award prize bowl cup series television network empire agency office
        army navy north south east west northern southern eastern western""",
    openers="""
        a an the in on at by for from to of with as after before since during while when where if although
        though because however but and or so this that these those it its he she they his her their we our
        you your i there here not no some many most more all each every both one two other another such
        what who which how why under over among between through according also then thus once until like
        unlike despite today later early first second although only even yes per being using currently
        usually generally because within throughout about additionally furthermore moreover certain
        therefore recently originally together several various following instead since whereas whether
        meanwhile finally eventually initially""",
    reason_marks="because since due as_a_result owing so_that in_order_to thanks_to therefore caused_by",
    manner_marks="by through using via with",
    defining="is are was were means refers",
    **{"and": "and or"},
)

_SPANISH_SETS = _sets(
    who="quién quiénes",
    when="cuándo",
    where="dónde adónde",
    why="porqué",
    how="cómo",
    what="qué cuál cuáles",
    count="cuánto cuánta cuántos cuántas",
    verbs="es son era eran fue fueron está están ha han hay había tiene tienen puede se hizo hace ser",
    stops="de del que en con por para a al y o cuando donde durante entre sobre desde hasta como",
    articles="el la los las un una lo",
    person="""persona personas hombre mujer presidente presidenta rey reina autor autora escritor escritora
        cantante actor actriz artista científico jugador entrenador líder fundador emperador ministro
        director inventor arquitecto compositor poeta pintor general papa obispo alcalde capitán ingeniero
        dueño ganador personaje padre madre hijo hija hermano hermana esposa marido""",
    place="""ciudad ciudades país países estado estados pueblo aldea río ríos continente lugar lugares región
        zona condado isla islas montaña estadio calle nación provincia distrito capital mar océano lago
        edificio barrio aeropuerto desierto valle puerto territorio sede parque museo""",
    number="""número población cantidad altura longitud anchura profundidad peso distancia velocidad tamaño
        temperatura edad puntuación total superficie densidad""",
    money="coste costo precio salario sueldo presupuesto ingresos multa tarifa",
    money_verbs="""
        cuesta cuestan costó costaron pagó pagaron pagan gastó gastaron gana ganó vale valía
        dinero""",
    share="porcentaje proporción fracción tasa parte",
    date="año años fecha día mes siglo década época hora momento",
    year="año",
    date_only="año fecha día mes siglo década",
    duration="duración tiempo",
    reason="razón razones motivo causa causas causó",
    name="""nombre título empresa compañía equipo banda grupo organización partido idioma tratado periódico
        libro""",
    said="dijo dice afirmó sostuvo declaró escribió según",
    before_what_why="por",
    name_itself="nombre nombres",
    say="dijo dice decir afirmó sostuvo declaró cree creía piensa pensaba",
    list="nombra enumera menciona tipos clases ejemplos",
    plural_is="son eran fueron",
    joiners="de del la las los y e van von der",
    titles="dr dra sr sra san santa don doña rey reina papa presidente general emperador",
    before_place="en a desde hacia cerca hasta",
    before_person="por",
    after_person="dijo escribió fue que era es nació murió ganó fundó descubrió inventó",
    place_names="""
        río lago monte ciudad condado isla calle avenida parque estadio plaza mar océano valle puente""",
    other_names="""
        universidad banco iglesia liga club partido consejo museo instituto ley tratado guerra batalla""",
    openers="""el la los las un una unos unas en de del al a por para con sin sobre desde hasta durante tras
        cuando donde si aunque porque pero y o este esta estos estas ese esa eso su sus lo se no hay es
        son fue entre según también entonces otro otra otros muchos muchas algunos todos cada ambos como
        así además después antes mientras""",
    reason_marks="porque debido ya_que para gracias_a por_lo_que puesto_que a_causa",
    manner_marks="mediante por con usando",
    defining="es son era eran significa",
    **{"and": "y e o u"},
)

_LEXICONS = {
    "": _lexicon({}, {}, ".", False),
    "en": _lexicon(_ENGLISH, _ENGLISH_SETS, ".", False),
    "es": _lexicon(_SPANISH, _SPANISH_SETS, ",", True),
}


def lexicon(language: str) -> Lexicon:
    """Return a language's words; of one that is not known, the signs that all languages share."""
    return _LEXICONS.get(language, _LEXICONS[""])
