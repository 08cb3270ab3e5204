"""Pictures by diffusers on this machine: a pipeline of the usual parts, tiny and untrained, made here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emonet.errors import UsageError
from emonet.synthesis.portraits import DiffusersGenerator, Order, design_portraits, read_factors, write_prompts

diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed (extra diffusers)")
pytestmark = pytest.mark.filterwarnings("ignore")  # diffusers and torch announce their own futures


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Text encoder, denoiser and decoder of a Stable Diffusion with random weights, saved as the library saves it."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    folder = tmp_path_factory.mktemp("pipeline")
    letters = [chr(code) for code in range(33, 127)]
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=37, num_hidden_layers=1, num_attention_heads=4,
        bos_token_id=len(words) - 2, eos_token_id=len(words) - 1,
    )  # fmt: skip
    StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=(32, 64), down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=4, norm_num_groups=16,
        ),
        text_encoder=CLIPTextModel(text),
        tokenizer=CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77),
        unet=UNet2DConditionModel(
            sample_size=8, layers_per_block=1, block_out_channels=(32, 64), cross_attention_dim=32, norm_num_groups=16,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        ),
        scheduler=DDIMScheduler(beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(folder / "pipeline")  # fmt: skip
    return folder / "pipeline"


@pytest.mark.slow
def test_a_picture_follows_from_prompt_and_seed(pipeline: Path) -> None:
    """The same order gives the same picture, another seed another one."""
    generator = DiffusersGenerator(str(pipeline), options={"num_inference_steps": 2, "height": 64, "width": 64})
    (prompt,) = write_prompts(design_portraits(1, read_factors()))
    found = [next(iter(generator.pictures([Order(prompt, 0, seed)]))).data for seed in (5, 5, 6)]
    assert found[0][:4] == b"\x89PNG"
    assert found[0] == found[1] != found[2]


def test_a_folder_without_a_pipeline_is_told(tmp_path: Path) -> None:
    (prompt,) = write_prompts(design_portraits(1, read_factors()))
    with pytest.raises(UsageError, match="cannot load it"):
        list(DiffusersGenerator(str(tmp_path)).pictures([Order(prompt, 0, 1)]))
