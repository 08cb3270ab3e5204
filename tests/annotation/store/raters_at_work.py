"""Raters in a process of their own, to be killed: answer whatever is given and note each answer once it is stored.

python raters_at_work.py URL LOG PERSON...
"""

from __future__ import annotations

import os
import sys
from typing import TextIO

from emonet.annotation.store import Store, Submission, open_store, submit, take


def main(url: str, log: str, people: list[int]) -> None:
    with open_store(url) as store, open(log, "a") as notes:
        busy = True
        while busy:
            busy = False
            for person in people:
                busy |= _answer(store, person, notes)


def _answer(store: Store, person: int, notes: TextIO) -> bool:
    """Answer what the person is given; whether there was anything."""
    given = take(store, person, count=2)
    for one in given:
        client_id = f"{person}-{one.unit_id}"
        value = float(one.unit.role == "target" and one.unit_id % 3 > 0)
        submission = Submission(client_id, one.unit_id, person, {one.unit.dimensions[0]: value})
        submit(store, submission)
        notes.write(client_id + "\n")
        notes.flush()
        os.fsync(notes.fileno())
    return bool(given)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], [int(person) for person in sys.argv[3:]])
