"""Which texts a segment may hold: the trigrams of its words are in the filter beside it, so it need not be read for a
text that it does not have.

A word is what spaces and quotation marks enclose, in lower case. Trigrams are of letters and digits of ASCII only: any
other character says nothing. Ids are too many for that; of them the characters that no hexadecimal number has are kept.
A segment of 250,000 records has a few thousand trigrams, 46,656 at most: ~1 kB for each thousand.
"""

# ruff: noqa: S608 — queries of ours, without values
import re
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from chimney.store import bloom

if TYPE_CHECKING:
    from pathlib import Path

# marks that keep them apart from ids, and from each other
TRIGRAM, CHARACTER = "trigram ", "character "
HEX = "0123456789abcdef"
MAY_BE_ID = re.compile(r"[\w.:/+=-]+")  # reading the ids of every record costs a third of a search
_RUN = re.compile(r"[a-z0-9]{3,}")
_LONGEST = 64  # trigrams of a text that are asked for


def indexed(file: str) -> str:
    """A query of one column, `id`, of what there is to put in the filter; `file` is a relation of log records."""
    spaced = f"SELECT DISTINCT unnest(string_split(lower(t), ' ')) AS w FROM {_texts(file)}"
    words = f"SELECT DISTINCT unnest(string_split(w, '\"')) AS w FROM ({spaced})"
    cut = f"SELECT DISTINCT substr(w, i, 3) AS g FROM (SELECT w, unnest(range(1, length(w) - 1)) AS i FROM ({words}))"
    ids = f"SELECT unnest([trace_id, request_id]) AS id FROM {file}"
    strange = f"SELECT DISTINCT lower(id) AS id FROM ({ids}) WHERE NOT regexp_full_match(lower(id), '[{HEX}]*')"
    characters = f"SELECT DISTINCT unnest(string_split(id, '')) AS c FROM ({strange})"
    return (
        f"SELECT '{TRIGRAM}' || g AS id FROM ({cut}) WHERE regexp_full_match(g, '[a-z0-9]+')"
        f" UNION ALL SELECT '{CHARACTER}' || c FROM ({characters})"
    )


def _texts(file: str) -> str:
    return f"(SELECT message AS t FROM {file} UNION ALL SELECT fields FROM {file} UNION ALL SELECT logger FROM {file})"


class Place(Enum):
    """Where in a segment a text may be."""

    NOWHERE = "nowhere"
    IDS = "ids"  # of a trace or a request, and nowhere else: a fourth of the work
    ANYWHERE = "anywhere"


def place(filter_: "Path", text: str) -> Place:
    """`ANYWHERE` also when the filter cannot be read, or the text is too short to tell."""
    sought = text.lower()
    written = msgspec.json.encode(sought).decode()[1:-1]  # as it is among fields
    with bloom.asked(filter_) as held:
        if any(_all_there(held, one) for one in {sought, written}):
            return Place.ANYWHERE
        strange = sorted(set(sought) - set(HEX))
        may_be_id = bool(MAY_BE_ID.fullmatch(sought)) and all(held(CHARACTER + one) for one in strange)
    return Place.IDS if may_be_id else Place.NOWHERE


def _all_there(held: Callable[[str], bool], text: str) -> bool:
    grams = {run[at : at + 3] for run in _RUN.findall(text) for at in range(len(run) - 2)}
    return all(held(TRIGRAM + one) for one in sorted(grams)[:_LONGEST])
