"""From chunks to terms: no word is lost, each mention stands where it says, noun and adjective are one term."""

from __future__ import annotations

from collections import Counter

import pytest

pytest.importorskip("textblob", reason="the taxonomy extra is not installed")
from hypothesis import given
from hypothesis import strategies as st

from emonet.errors import UsageError
from emonet.taxonomy.derivation import chunks_of, read_lexicon
from emonet.taxonomy.derivation._mentions import occurrences, offline_mentions, plain_word
from emonet.taxonomy.derivation._terms import quotes_of, terms_of

_PAGES = st.lists(st.tuples(st.sampled_from(["p. 1", "p. 2", "p. 3"]), st.text(max_size=60)), max_size=8)


@given(_PAGES, st.integers(1, 7))
def test_chunks_lose_no_word_and_know_each_page(pages: list[tuple[str, str]], size: int) -> None:
    """In order, so many in each, each with the page that it came from."""
    chunks = chunks_of(pages, size)
    placed = [(word, place) for place, text in pages for word in text.split()]
    assert [(word, chunk.place_of(at)) for chunk in chunks for at, word in enumerate(chunk.words)] == placed
    assert all(len(chunk.words) == size for chunk in chunks[:-1])
    assert [chunk.number for chunk in chunks] == list(range(1, len(chunks) + 1))


def test_a_chunk_has_at_least_one_word() -> None:
    """A size of nothing is wrong usage."""
    with pytest.raises(UsageError, match="expected 1 or more"):
        chunks_of([], 0)


def _terms(text: str, lexicon: tuple[str, ...] = ("general",)) -> dict[str, tuple[str, ...]]:
    known, chunks = read_lexicon(lexicon), chunks_of([("p. 1", text)], 500)
    mentions = [mention for found in offline_mentions(chunks, known) for mention in found]
    return {term.word: term.words for term in terms_of(mentions, chunks, known)}


def test_nouns_and_adjectives_count_verbs_do_not() -> None:
    """ "I love" and "she feared" are no mentions; inflected forms are those of their lemma."""
    found = _terms(
        "She feared him. The angriest man spoke of his griefs, and his fears’ end. They pity us. Pity is rare."
    )
    assert set(found) == {"angry", "grief", "fear", "pity"}


def test_a_kind_of_thing_is_not_kindness() -> None:
    """Some words name a feeling as adjectives only."""
    assert _terms("A kind of stone lay by the patient's bed. The kind nurse was patient.") == {
        "kind": ("kind",),
        "patient": ("patient",),
    }


def test_noun_and_adjective_are_one_term() -> None:
    """By the lexicon, or by a stem that the text has as both."""
    found = _terms(
        "Anger and an angry word. Restlessness came; I felt restless, he felt restless, a feeling of restlessness, a "
        "sense of restlessness."
    )
    assert found["anger"] == ("anger", "angry")
    assert set(found["restlessness"]) == {"restlessness", "restless"}


def test_the_text_itself_tells_words_that_no_lexicon_has() -> None:
    """What is felt twice, or stands twice after "a feeling of"; once is not enough, nor is the adjective of a thing."""
    found = _terms(
        "He felt jittery. She felt very jittery then. A feeling of saudade, a sense of deep saudade. He felt odd. We "
        "felt cold water and felt cold water."
    )
    assert set(found) == {"jittery", "saudade"}


def test_each_term_knows_its_counts_forms_and_pages() -> None:
    """Counts add up over forms, chunks and pages."""
    known = read_lexicon()
    chunks = chunks_of([("p. 1", "fear and fears"), ("p. 2", "a fearful day of joy and fear")], 4)
    mentions = [mention for found in offline_mentions(chunks, known) for mention in found]
    for mention in mentions:
        assert plain_word(chunks[mention.chunk - 1].words[mention.word]) == mention.form
    fear = terms_of(mentions, chunks, known)[0]
    assert (fear.word, fear.words, fear.count) == ("fear", ("fear", "fearful"), 4)
    assert fear.forms == {"fear": 2, "fears": 1, "fearful": 1}
    assert fear.places == {"p. 1": 2, "p. 2": 2}
    assert Counter(fear.chunks) == {1: 2, 2: 1, 3: 1}
    assert quotes_of(fear, mentions, chunks, words=3)[:2] == ("fear and fears … (p. 1)", "fearful day of … (p. 2)")


@given(st.text(max_size=120), st.integers(1, 9))
def test_any_text_is_searched_without_fail(text: str, size: int) -> None:
    """Each mention stands in its chunk, whatever characters are around it."""
    chunks = chunks_of([("p. 1", f"{text} the fear of {text}")], size)
    for found, chunk in zip(offline_mentions(chunks, read_lexicon()), chunks, strict=True):
        assert all(mention.form in chunk.words[mention.word].casefold() for mention in found)


def test_occurrences_are_whole_words() -> None:
    """Also of terms of several words, whatever punctuation touches them."""
    chunk = chunks_of([("p. 1", "An existential void; “existential” dread, voids.")], 9)[0]
    assert occurrences(chunk, "existential void") == (1,)
    assert occurrences(chunk, "existential") == (1, 3)
    assert occurrences(chunk, "void") == (2,)
    assert occurrences(chunk, "") == ()


def test_lexicons_of_ones_own(tmp_path) -> None:
    """A list in the package's format; several are joined and the first has its way."""
    path = tmp_path / "mine.txt"
    path.write_text("// mine\n= sea -\nsaudade / saudadic\nfear / fearsome\n", encoding="utf-8")
    both = read_lexicon((str(path), "general"))
    assert both.heading_of("fearsome") == "sea"
    assert both.pole_of("joyful") == "+"
    assert "saudade" in both
    path.write_text("fear\n")
    with pytest.raises(UsageError, match="line 1: words before the first heading"):
        read_lexicon((str(path),))
    path.write_text("= fear bad\nfear\n")
    with pytest.raises(UsageError, match="expected a heading such as"):
        read_lexicon((str(path),))
    with pytest.raises(UsageError, match="Expected general, empath or the path"):
        read_lexicon(("generall",))


def test_the_general_lexicon_is_not_the_published_list() -> None:
    """It has words that the published lists lack, and lacks words that they have; each heading has a pole."""
    from emonet.taxonomy import built_in

    known, published = read_lexicon(), {w.casefold() for e in built_in().emotions for w in e.words}
    assert len(set(known.families) - published) > 300
    assert len(published - set(known.families)) > 30
    assert set(known.headings.values()) == set(known.poles)


def test_empath_is_read_without_its_client() -> None:
    """Only words that several categories have; the package, which loads an HTTP client, is not imported."""
    pytest.importorskip("empath")
    import subprocess
    import sys

    code = (
        "import sys\nfrom emonet.taxonomy.derivation import read_lexicon\n"
        "known = read_lexicon(('general', 'empath'))\n"
        "assert 'heartbreak' in known and 'death' not in known\nprint('empath' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
