"""A Whisper of some ten thousand weights with its own vocabulary: the layout of a published one, made here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SECONDS = 2.0  # that it hears at once
_SPECIAL = ["<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>", "<|endoftext|>"]


def tiny_whisper(folder: Path, texts: Sequence[str], *, width: int = 64, positions: int = 96, seed: int = 0) -> Path:
    """Write a checkpoint with random weights whose byte-level vocabulary is learnt from `texts`; `folder`."""
    import torch
    import transformers

    transformers.logging.disable_progress_bar()
    tokenizer = _tokenizer(texts)
    start, *_, end = tokenizer.convert_tokens_to_ids(_SPECIAL)
    config = transformers.WhisperConfig(
        vocab_size=len(tokenizer),
        num_mel_bins=80,
        d_model=width,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=2 * width,
        decoder_ffn_dim=2 * width,
        max_source_positions=round(SECONDS * 50),
        max_target_positions=positions,
        decoder_start_token_id=start,
        eos_token_id=end,
        pad_token_id=end,
        bos_token_id=end,
        init_std=0.1,
    )
    torch.manual_seed(seed)
    model = transformers.WhisperForConditionalGeneration(config)
    model.generation_config.suppress_tokens = []
    model.generation_config.begin_suppress_tokens = [end]
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    transformers.WhisperFeatureExtractor(feature_size=80, chunk_length=round(SECONDS)).save_pretrained(folder)
    return folder


def _tokenizer(texts: Sequence[str]) -> Any:
    """Whisper's own tokenizer with pieces learnt from `texts`."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import WhisperTokenizer

    alphabet = pre_tokenizers.ByteLevel.alphabet()
    learnt = Tokenizer(models.BPE())
    learnt.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learnt.train_from_iterator(
        list(texts), trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    )
    model = json.loads(learnt.to_str())["model"]
    tokenizer = WhisperTokenizer(vocab=model["vocab"], merges=[tuple(pair) for pair in model["merges"]])
    tokenizer.add_special_tokens({"additional_special_tokens": _SPECIAL[:-1]})
    return tokenizer
