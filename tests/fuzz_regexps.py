"""Regular expressions to try: written by a grammar, or of the vectors and spoilt; on odd texts."""

from random import Random

from mappings.goregexp import RegexpSyntaxError, RegexpTimeout, compile_regexp
from tests.fuzz_templates import vectors
from tests.fuzz_text import spoilt
from tests.fuzz_watch import Case, Poor

ATOMS = (
    *("a", "b", "ab", "é", "k", "\u212a", ".", r"\d", r"\w", r"\s", r"\W", r"\pL", r"\p{Greek}"),
    *("[ab]", "[^a]", "[a-z0-9_]", "[[:alpha:]]", r"[\d\-]", r"\.", r"\x41", r"\n", "(a*)", "(|a)"),
    *("(a+)+", "(?:a|ab)", "(?:a|a)*", "[^,]*", ".*", ".*?", r"(\w+\s?)", r"\Qa.b\E", r"\1", r"\2"),
)
TIMES = ("", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{0,3}", "{2,}", "{1,40}", "{1000}")
OPENED = (
    *("(", "(", "(?:", "(?:", "(?P<n>", "(?P<m>", "(?<n>", "(?i:", "(?s:", "(?m:", "(?U:", "(?-i:"),
    *("(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i)(?:", "(?x:"),
)
PLACES = ("^", "$", r"\b", r"\B", r"\A", r"\z", r"\Z", r"\G")
PIECES = (*ATOMS, *TIMES, *OPENED, *PLACES, ")", "|", "[", "]", "-", "{", r"\k<n>", "(?#", "(?x)")
UNITS = (
    *("a", "b", "ab", "aab", "word ", "x,", "é", "k\u212a", "0", "_", "\n", "\ud800", "\U0001f600"),
    *("CMDB:", "srv-01.", "\0", " ", "\r\n", "İß"),
)
SIZES = (0, 1, 1, 2, 3, 5, 10, 40, 300, 3_000, 30_000)
REPLACEMENTS = (
    "",
    "$0",
    "<$1>",
    "${n}",
    "$$",
    "$",
    "${",
    "$1x",
    "${1}x",
    "é$2",
    "$n$m",
    "$99999999999",
)
KNOWN = [(line["pattern"], line["text"]) for line in vectors("goregexp")]


def _pattern(random: Random, depth: int = 0) -> str:
    parts = []
    for _ in range(random.choice((1, 1, 2, 2, 3, 4))):
        chance = random.random()
        if chance < 0.1:
            parts.append(random.choice(PLACES))
        elif chance < 0.35 and depth < 4:
            inner = _pattern(random, depth + 1)
            parts.append(f"{random.choice(OPENED)}{inner}){random.choice(TIMES)}")
        elif chance < 0.45:
            parts.append(f"|{random.choice(ATOMS)}")
        else:
            parts.append(random.choice(ATOMS) + random.choice(TIMES))
    return "".join(parts)


def _subject(random: Random) -> str:
    parts = []
    for _ in range(random.choice((1, 1, 2, 3))):
        unit = "".join(random.choice(UNITS) for _ in range(random.choice((1, 1, 1, 2, 4))))
        parts.append(unit * random.choice(SIZES))
    return "".join(parts)[:100_000]


def draw(random: Random) -> Case:
    chance = random.random()
    pattern, subject = random.choice(KNOWN)
    if chance < 0.45:
        pattern = _pattern(random)
    elif chance < 0.9:
        pattern = spoilt(random, pattern, PIECES)
    else:  # deep and wide ones
        pattern = random.choice((*OPENED, *ATOMS)) * random.choice((50, 250, 900)) + pattern
    if random.random() < 0.6:
        subject = _subject(random)
    elif random.random() < 0.5:
        subject = spoilt(random, subject, UNITS)
    return {
        "pattern": pattern,
        "subject": subject,
        "replacement": random.choice(REPLACEMENTS),
        "fallback": random.random() < 0.7,
    }


def run(case: Case) -> str:
    try:
        regexp = compile_regexp(case["pattern"], fallback=case["fallback"])
        groups = regexp.groups(case["subject"])
        regexp.replace(case["subject"], case["replacement"])
    except RegexpSyntaxError as error:
        if not str(error):
            raise Poor("an error without a cause") from error
        return "refused"
    except RegexpTimeout:
        return "stopped"
    return "matched" if groups is not None else "no match"
