"""Data sets: shards of samples and readers and writers of them; rated and labelled releases, folds, and downloads.

How each layout looks and what to watch for: docs/shards.md for samples, docs/rated-sets.md for ratings.
"""

from emonet.datasets._coarse import read_coarse
from emonet.datasets._described import SET_KINDS, read_described
from emonet.datasets._descriptions import Description, describe
from emonet.datasets._download import download
from emonet.datasets._emobox import read_emobox, write_emobox
from emonet.datasets._emolia import read_emolia_bench
from emonet.datasets._face_binary import contrast_pairs, read_face_binary, triple_positives, vote_patterns
from emonet.datasets._face_hq import read_face_hq
from emonet.datasets._folds import folds
from emonet.datasets._gold import gold
from emonet.datasets._mdns import read_mdns
from emonet.datasets._rated import read_rated
from emonet.datasets._rated_writer import write_rated
from emonet.datasets._records import RATING_SCHEMA, LabelledSet, Rater, RaterKind, Ratings
from emonet.datasets._samples import Sample, Shard, ShardKind, list_shards, read_samples
from emonet.datasets._shard_writer import write_shards
from emonet.datasets._talent import TalentAnnotation, TalentName, parse_talent_annotation, parse_talent_name
from emonet.datasets._voice import read_voice
from emonet.datasets._votes import read_cremad, read_ferplus

__all__ = [
    "RATING_SCHEMA",
    "SET_KINDS",
    "Description",
    "LabelledSet",
    "Rater",
    "RaterKind",
    "Ratings",
    "Sample",
    "Shard",
    "ShardKind",
    "TalentAnnotation",
    "TalentName",
    "contrast_pairs",
    "describe",
    "download",
    "folds",
    "gold",
    "list_shards",
    "parse_talent_annotation",
    "parse_talent_name",
    "read_coarse",
    "read_cremad",
    "read_described",
    "read_emobox",
    "read_emolia_bench",
    "read_face_binary",
    "read_face_hq",
    "read_ferplus",
    "read_mdns",
    "read_rated",
    "read_samples",
    "read_voice",
    "triple_positives",
    "vote_patterns",
    "write_emobox",
    "write_rated",
    "write_shards",
]
