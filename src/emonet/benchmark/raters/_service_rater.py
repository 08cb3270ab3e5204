"""A rater behind a service: asks what is missing, and reads the ratings from the kept replies."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from emonet.benchmark.raters._asking import Asked, ask
from emonet.benchmark.raters._media_parts import content_hash
from emonet.benchmark.raters._outcomes import Outcome, outcome_of
from emonet.benchmark.raters._questions import Mode, Question, questions
from emonet.benchmark.raters._records import Progress, Rated, ratings_table, replies_table
from emonet.benchmark.raters._service import Service
from emonet.benchmark.raters._settings import ServiceSettings
from emonet.datasets import LabelledSet, Rater, RaterKind
from emonet.errors import MediaError
from emonet.services._cache import CACHE_FILE, Attempt, Key, ReplyCache
from emonet.services._records import public_address

_FEWEST_ANSWERS = 10
_SAME = 0.9  # share of identical answers that is worth a warning


class ServiceRater:
    """A `RaterRunner` that asks a service and keeps its replies in `<folder>/replies.sqlite`.

    `make_service`: the service for a set. `protocol`: what its ratings say in the column of that name.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        folder: Path,
        make_service: Callable[[LabelledSet], Service],
        *,
        kind: RaterKind,
        protocol: str,
        scale: tuple[float, float] | None,
        mode: Mode,
        facts: Mapping[str, str],
    ) -> None:
        self.settings, self.folder, self._make_service = settings, folder, make_service
        self._kind, self._protocol, self._scale, self._mode = kind, protocol, scale, mode
        self._facts = {"type": settings.type, "address": public_address(settings.base_url), **facts}

    @property
    def rater(self) -> Rater:
        """Who rates. `facts` gains `prompt_sha256` once a set was rated."""
        return Rater(self.settings.name, self._kind, self._scale, dict(self._facts))

    def rate(self, labelled: LabelledSet, *, progress: Progress | None = None) -> Rated:
        """Ask what is not answered yet, and rate by all kept replies.

        Raises `ModelError` when the service will not answer at all (key, model name, address), `UsageError` when the
        set has no media or the key is missing.
        """
        say = progress or _silent
        service, asked = self._make_service(labelled), list(questions(labelled, self._mode))
        configuration = _digest(service.configuration)
        with ReplyCache(self.folder / CACHE_FILE) as cache:
            cache.keep_text(configuration, service.configuration)
            self._price_what_is_not(cache, service, configuration)
            try:
                found = ask(
                    self.settings.name,
                    labelled,
                    asked,
                    service,
                    cache,
                    configuration=configuration,
                    limits=self.settings.limits(),
                    prices=self.settings.prices(),
                    progress=say,
                )
            finally:
                service.close()
            return self._collect(asked, service, cache, configuration, found)

    def regenerate(self, labelled: LabelledSet) -> Rated:
        """Rate by the kept replies alone; nothing is sent. Items without a reply have status `error`.

        Replies are found by the content of the files, or by the items' names when the set has no media at hand.
        """
        service, asked = self._make_service(labelled), list(questions(labelled, self._mode))
        found = Asked(unasked="no reply is kept")
        if labelled.read_media is not None:
            for item in dict.fromkeys(question.item for question in asked):
                try:
                    found.content[item] = content_hash(labelled.read_media(item))
                except (MediaError, OSError) as error:
                    found.unreadable[item] = str(error)
        with ReplyCache(self.folder / CACHE_FILE) as cache:
            return self._collect(
                asked, service, cache, _digest(service.configuration), found, by_name=labelled.read_media is None
            )

    def _collect(
        self,
        asked: list[Question],
        service: Service,
        cache: ReplyCache,
        configuration: str,
        found: Asked,
        *,
        by_name: bool = False,
    ) -> Rated:
        """One row of replies a question, and the ratings of those that were answered."""
        prices, name = self.settings.prices(), self.settings.name
        rows, judged, first_item, prompts = [], [], dict[str, str](), set[str]()
        for question in asked:
            prompt = service.prompt(question).sha256
            prompts.add(prompt)
            key = Key(found.content.get(question.item, ""), configuration, prompt, question.item)
            attempts: list[Attempt] = []
            if by_name:
                attempts = cache.attempts_of_item(configuration, prompt, question.item)
            elif key.content:
                attempts = cache.attempts(key)
            outcome = outcome_of(attempts, question, service, prices)
            if not attempts:
                message = found.unreadable.get(question.item) or f"not asked: {found.unasked or 'the run was stopped'}"
                outcome = Outcome("error", message)
            elif (same := first_item.setdefault(attempts[0].key, question.item)) != question.item:
                # Paid for once: a second item with the same file shares the answer, not the bill.
                outcome = Outcome(
                    outcome.status,
                    f"same file as {same}",
                    outcome.values,
                    outcome.time,
                    cost=0.0 if prices.known else None,
                )
            rows.append(outcome.row(name, question))
            if outcome.status == "ok":
                judged.append((question.item, outcome.values, outcome.time))
        self._facts["prompt_sha256"] = _digest(sorted(prompts)) if len(prompts) > 1 else "".join(prompts)
        notes = (*(f"{name}: {change}." for change in found.changes), *_sameness(name, judged))
        if found.unasked and any(row["attempts"] == 0 for row in rows):
            notes += (f"{name}: some questions were not asked, as {found.unasked}.",)
        return Rated(ratings_table(name, self._protocol, judged), replies_table(rows), notes)

    def _price_what_is_not(self, cache: ReplyCache, service: Service, configuration: str) -> None:
        """Price the replies that an earlier run kept but did not come to price, so that the budget counts them."""
        for attempt in cache.unaccounted(configuration):
            used = service.usage(attempt.body or "")
            cost = self.settings.prices().cost(used)
            cache.account(attempt.id, status="unread", tokens_in=used.tokens_in, tokens_out=used.tokens_out, cost=cost)


def _sameness(name: str, judged: Sequence[tuple[str, Mapping[str, float], datetime | None]]) -> Iterator[str]:
    """A warning when nearly all items got one and the same answer, as from a model that does not see them."""
    answers = Counter(tuple(values.items()) for _, values, _ in judged if len(values) > 1)
    if answers.total() >= _FEWEST_ANSWERS:
        (_, most), *_ = answers.most_common(1)
        if most >= _SAME * answers.total():
            yield f"{name}: {most} of {answers.total()} answers are identical; perhaps it does not get the files."


def _digest(value: Any) -> str:
    return sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _silent(line: str) -> None:
    del line
