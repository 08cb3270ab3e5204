"""Pictures of a pipeline of diffusers: loaded from a folder, seeded, in batches."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from emonet.errors import UsageError
from emonet.synthesis.portraits import DiffusersGenerator, Generator, Made, Order, Prompt

diffusers = pytest.importorskip("diffusers", reason="local pipelines need the extra diffusers")
pytest.importorskip("torch", reason="local pipelines need the extra torch")
transformers = pytest.importorskip("transformers", reason="the text encoder of a pipeline comes from transformers")

CALL = {"num_inference_steps": 1, "height": 32, "width": 32, "guidance_scale": 1.0}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Stable Diffusion pipeline with random weights, some ten thousand numbers, saved as the Hub's folders are."""
    import torch

    torch.manual_seed(0)
    home = tmp_path_factory.mktemp("pipeline")
    unet = diffusers.UNet2DConditionModel(
        block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=2, sample_size=16, in_channels=4, out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=8, attention_head_dim=2,
    )  # fmt: skip
    vae = diffusers.AutoencoderKL(
        block_out_channels=[4, 8], in_channels=3, out_channels=3, latent_channels=4, norm_num_groups=2,
        down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2,
    )  # fmt: skip
    scheduler = diffusers.DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1
    )
    tokenizer = made_tokenizer(home)
    text = transformers.CLIPTextModel(
        transformers.CLIPTextConfig(
            hidden_size=8, intermediate_size=16, num_attention_heads=2, num_hidden_layers=1,
            vocab_size=len(tokenizer), bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )  # fmt: skip
    whole = diffusers.StableDiffusionPipeline(
        vae=vae, text_encoder=text, tokenizer=tokenizer, unet=unet, scheduler=scheduler, safety_checker=None,
        feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    whole.save_pretrained(home / "model")
    return home / "model"


def made_tokenizer(home: Path) -> Any:
    """CLIP's tokenizer with letters for words."""
    import json

    letters = "abcdefghijklmnopqrstuvwxyz0123456789,.:;-'"
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (home / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (home / "merges.txt").write_text("#version: 0.2\n")
    return transformers.CLIPTokenizer(str(home / "vocab.json"), str(home / "merges.txt"), model_max_length=77)


def order(number: int, seed: int) -> Order:
    prompt = Prompt(f"portrait-{number:05d}", "photograph of a person, plain wall", {"emotion": "awe"}, (), seed)
    return Order(prompt, 0, seed)


def pictures(generator: Generator, orders: list[Order]) -> dict[str, Made]:
    return {made.order.prompt.key: made for made in generator.pictures(orders)}


def test_equal_seeds_give_equal_pictures_whatever_the_batch(pipeline: Path) -> None:
    """One picture an order, of the size asked for; other seeds give other pictures."""
    orders = [order(0, 1), order(1, 1), order(2, 2)]
    found = pictures(DiffusersGenerator(str(pipeline), device="cpu", batch=2, options=CALL), orders)
    assert list(found) == ["portrait-00000", "portrait-00001", "portrait-00002"]
    first, second, third = (PIL.Image.open(io.BytesIO(made.data)) for made in found.values())
    assert first.size == (32, 32)
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != third.tobytes()


def test_a_folder_that_is_no_pipeline_is_told(tmp_path: Path) -> None:
    generator = DiffusersGenerator(str(tmp_path), device="cpu", options=CALL)
    with pytest.raises(UsageError, match="Give a pipeline's folder or Hub id"):
        next(iter(generator.pictures([order(0, 1)])))


def test_nothing_is_loaded_to_estimate_a_run() -> None:
    """A dry run of a local model costs nothing, not even reading its weights."""
    generator = DiffusersGenerator("no/such-model", terms="CC0-1.0")
    assert generator.effort([order(0, 1).prompt]) is None
    assert (generator.name, generator.licence) == ("diffusers no/such-model", "CC0-1.0")
