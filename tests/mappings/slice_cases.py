"""Jobs and records drawn by chance, dense with what one slice may decide otherwise than another."""

from random import Random
from typing import Any

from mappings.errors import MappingErrors
from mappings.loading import load_mapping

Job = dict[str, Any]

_ODD: list[Any] = ["\ud800", 1 << 70, float("nan"), {"x": 1}, [], [1, {"y": 2}], "", " ", True, 2.5]
_WORDS: list[Any] = ["prod", "test", "x", "y", "z", "u", "v", "w", "[t]", 1, None]
_ROWS = {"prod": "P", "test": None, "x": "l", "y": "m", "1": "one", "dead": "D", "v": "V"}
_JOINED = {"dataset": "sites", "key": "name", "value": "site"}
_FLAGS = ("infos", "category", "level", "output")


def draw_job(random: Random) -> Job:
    """A mapping that compiles, of one to three blocks."""
    while True:
        job = _job(random)
        try:
            load_mapping(job)
        except MappingErrors:  # such as two blocks that make the same entities
            continue
        return job


def draw_records(random: Random) -> dict[str, list[Any]]:
    """Records of each dataset, some of which are none."""
    names = random.sample(["a", "b", "c", "d", "a/b", "b/c"], random.randint(1, 4))
    tame = random.random()  # some feeds are odd throughout, some hardly ever
    return {
        name: [_record(random, names, tame) for _ in range(random.randint(0, 24))]
        for name in ("servers", "links", "sites")
    }


def _record(random: Random, names: list[str], tame: float) -> Any:
    if random.random() < 0.03:
        return random.choice([None, 3, "text", []])
    fields = {key: _value(random, tame) for key in ("env", "site", "sub", "stray", "late", "last")}
    fields["tags"] = [_value(random, tame) for _ in range(random.randint(0, 3))]
    fields["deep"] = {key: _value(random, tame) for key in random.sample(["in", "out"], 1)}
    for key in random.sample(sorted(fields), random.randint(0, 4)):
        del fields[key]
    for key in ("name", "other"):
        odd = random.random() < 0.06
        fields[key] = random.choice([None, "\ud800", 7, "", " x"]) if odd else random.choice(names)
    return fields


def _value(random: Random, tame: float) -> Any:
    if random.random() < tame:
        return random.choice(["prod", "x"])
    return random.choice(_ODD if random.random() < 0.25 else _WORDS)


def _job(random: Random) -> Job:
    blocks = [_block(random) for _ in range(random.randint(1, 3))]
    job: Job = {"entities": blocks, "lookups": {"rows": {"rows": _ROWS}}}
    datasets = sorted({block["dataset"] for block in blocks})
    if random.random() < 0.3:
        wash = {"blank": True, "null_values": {"env": ["x"]}, "untranslated": True}
        job["cleanup"] = dict.fromkeys(datasets, wash)
    job["expect"] = {name: _expectation(name, blocks) for name in datasets}
    return job


def _expectation(name: str, blocks: list[Job]) -> Job:
    rules = [
        rule
        for block in blocks
        for rule in block.values()
        if block["dataset"] == name and isinstance(rule, dict)
    ]
    keys = sorted({key for rule in rules for key in rule.get("infos", ())})
    allowed = {key: ["P", "prod"] for key in keys}
    filled = dict.fromkeys(keys, 0.5)
    return {"min": 8, "rejects": "10%", "unique": keys, "allowed": allowed, "filled": filled}


def _block(random: Random) -> Job:
    each = random.choice([None, None, None, "tags", {"copy": "name", "lookup": _many()}])
    places = [f"{'$parent.' if each else ''}{path}" for path in ("env", "site", "deep.in", "sub")]
    names = [f"{'$parent.' if each else ''}{path}" for path in ("name", "name", "other")]
    if each:
        places.append(".")
        names.append(".")
    block: Job = {"dataset": random.choice(["servers", "servers", "links"])}
    if each:
        block["each"] = each
    if random.random() < 0.2:
        block["when"] = {"field": places[0], "cond": "is_not_one_of", "value": ["z", "u"]}
    for kind in random.sample(["component", "resource", "service"], random.choice([1, 1, 2])):
        block[kind] = _rule(random, kind, names, places)
    return block


def _rule(random: Random, kind: str, names: list[str], places: list[str]) -> Job:
    rule: Job = {"name": random.choice(names)}
    if random.random() < 0.2:
        rule["name"] = {"copy": random.choice(names), "default": "d"}
    if random.random() < 0.6:
        keys = random.sample(["p", "q", "r"], random.randint(1, 3))
        rule["infos"] = {key: _rule_value(random, places) for key in keys}
    if random.random() < 0.4:
        rule["category"] = _rule_value(random, places, one=True)
    if random.random() < 0.2:
        rule["impact_level"] = {"copy": random.choice(places), "lookup": {"prod": 2, "x": 3}}
    if kind == "resource":
        rule["component"] = random.choice(names)
    if kind == "service":
        rule["pattern"] = _pattern(random, names, places)
    return rule


def _rule_value(random: Random, places: list[str], *, one: bool = False) -> Any:
    copied = random.choice(places)
    kind = random.choice(["bare", "template", "first", "lookup", "lookup", "lookup", "needed"])
    if kind == "bare":
        return copied
    if kind == "template":
        return {"template": "{{ uppercase .Field }}", "field": copied}
    if kind == "first":
        return {"first_of": [copied, random.choice(places)], "default": "none"}
    if kind == "needed":
        return {"copy": copied, "required": True}
    table = random.choice(["rows", "rows", _ROWS, _JOINED, _many()])
    policy = random.choice(["reject", "warn", "keep"])
    options: Job = {"copy": copied, "lookup": table, "unknown": policy}
    if one:
        options["join"] = ", "
    if random.random() < 0.3:
        options["default"] = "none"
    return options


def _pattern(random: Random, names: list[str], places: list[str]) -> list[Job]:
    """Conditions of a service, nearly always gathered; in some jobs they must not differ."""
    values = [random.choice([*names, *places]), _rule_value(random, names)]
    found = [{"field": "name", "cond": "is_one_of", "value": value} for value in values]
    found = found[: random.choice([1, 1, 2])]
    if random.random() < 0.3:
        value = {"copy": random.choice(places), "default": "none"}
        alike = {"field": "infos.env", "field_type": "string", "cond": "eq", "value": value}
        found.append(alike)
    if random.random() < 0.3:
        kinds = {"set": ["component", "resource"]}
        found.append({"field": "type", "cond": "is_one_of", "value": kinds})
    if random.random() < 0.1:
        found = found[1:] or found
    return found


def _many() -> Job:
    return {**_JOINED, "many": True}
