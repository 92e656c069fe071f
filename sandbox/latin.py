"""An invented French client's CSV drop: semicolons, cp1252, accents; and its second day."""

_SITES = (("Nîmes", "NÎMES"), ("Orléans", "ORLÉANS"), ("Béziers", "BÉZIERS"))
_ENVIRONMENTS = ("Production", "Production", "Recette", "Développement")
_LEVELS = ("Élevée", "Moyenne", "Faible")
_PEOPLE = ("Zoé Lefèvre", "Jérôme Müller", "Anne-Sophie Noël", "Loïc Bœuf")
_APPLICATIONS = ("Comptabilité générale", "Paie", "Gestion des congés", "Intranet")
_ROLES = ("WEB", "BDD", "APP")
_HEADER = (
    "Machine",
    "Environnement",
    "Criticité",
    "Site",
    "Emplacement",
    "Resp. technique",
    "N° de série",
    "Application",
    "Observations",
)


def machines(count: int, *, changed: float = 0.0, gone: int = 0) -> bytes:
    """A CSV file of *count* machines, less *gone*; the share *changed* has another technician."""
    every = round(1 / changed) if changed else 0
    lines = [";".join(_HEADER)]
    for number in range(gone, count):
        site, prefix = _SITES[number % 3]
        moved = bool(every) and number % every == 0
        lines.append(
            ";".join(
                (
                    f"{prefix}-{_ROLES[number % 3]}-{number:04d}",
                    _ENVIRONMENTS[number % 4],
                    _LEVELS[number % 3],
                    site,
                    f"Salle B{number % 7}/Baie {number % 40:02d}",
                    _PEOPLE[(number + moved) % 4],
                    f"{421 + number:07d}",
                    _APPLICATIONS[number // 3 % 4],
                    "à remplacer" if number % 50 == 0 else "",
                )
            )
        )
    return ("\r\n".join(lines) + "\r\n").encode("cp1252")
