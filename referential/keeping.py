"""What an entity has lost stays ours: a window of dates takes nothing away.

The import merges infos (`specs/canopsis.md` §3.3), so that a key which the record no longer has is
still there after it, and must stay known as ours. It is taken away when the entity is sent next by
a run that prunes.
"""

import pandas as pd

from referential.columns import objects
from referential.entity import joined_keys, split_keys


def with_all_ever_given(found: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """*found* with the info keys and the category that *known* has beyond its own."""
    position = pd.Index(known["id"]).get_indexer(pd.Index(found["id"]))
    infos, categories = (found[name].to_numpy().tolist() for name in ("infos", "category"))
    before, given = (known[name].to_numpy().tolist() for name in ("infos", "category"))
    for rank, row in enumerate(position.tolist()):
        if row < 0:
            continue
        if before[row] != infos[rank]:
            keys = {*split_keys(before[row]), *split_keys(infos[rank])}
            infos[rank] = joined_keys(tuple(keys))
        categories[rank] = categories[rank] or given[row]
    return found.assign(
        infos=pd.Series(objects(infos), dtype=object),
        category=pd.Series(objects(categories), dtype=object),
    )
