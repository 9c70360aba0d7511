"""Loading: what cannot work is said at once, in one line that helps; nothing foreign is executed."""

import importlib.util
import json
import shutil
import socket
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

from promptkit.backends.hf import HFBackend
from promptkit.backends.hf.loading import fastest_dtype
from promptkit.errors import ConfigError, ModelError
from tests.backends.hf.running import complete, greedy, request, texts


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may damage."""
    return Path(shutil.copytree(tiny_model, tmp_path / "copy"))


@pytest.fixture(scope="module")
def adapter(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter of the tiny model, with random weights, written by peft."""
    return write_adapter(tiny_model, tmp_path_factory.mktemp("adapter"), seed=1)


def write_adapter(model: Path, folder: Path, seed: int) -> Path:
    peft = pytest.importorskip("peft")
    base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    options = peft.LoraConfig(r=4, lora_alpha=32, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        adapted = peft.get_peft_model(base, options)
    generator = torch.Generator().manual_seed(seed)
    for name, weight in adapted.named_parameters():
        if "lora_" in name:
            weight.data = torch.randn(weight.shape, generator=generator) * 0.2
    adapted.save_pretrained(folder)
    return folder


# -- what is not there ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("/no/such/folder", "there is no folder"),
        ("./no-such-folder", "there is no folder"),
        ("~/no/such/folder", "there is no folder"),
        ("some-one/no-such-model", "cannot load"),
        ("no-such-model", "cannot load"),
        ("not a name!", "cannot load"),
    ],
)
def test_what_is_not_there_is_said_at_once(name: str, says: str) -> None:
    start = time.perf_counter()
    with pytest.raises(ModelError, match=says) as caught:
        HFBackend(name)
    assert time.perf_counter() - start < 5
    assert name in caught.value.message
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json is missing"):
        HFBackend(str(tmp_path))


def test_a_folder_without_a_tokenizer(copy: Path) -> None:
    for path in copy.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(ModelError, match=r"tokenizer of .* knows no words"):
        HFBackend(str(copy))


@pytest.mark.parametrize("damage", [b"", b"\x08\x00\x00\x00\x00\x00\x00\x00not json", b"x" * 1000])
def test_damaged_weights(copy: Path, damage: bytes) -> None:
    (copy / "model.safetensors").write_bytes(damage)
    with pytest.raises(ModelError, match="cannot load") as caught:
        HFBackend(str(copy), dtype="float32")
    assert "\n" not in caught.value.message


def test_weights_cut_off(copy: Path) -> None:
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="cannot load"):
        HFBackend(str(copy), dtype="float32")


def test_no_weights_at_all(copy: Path) -> None:
    (copy / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="cannot load"):
        HFBackend(str(copy), dtype="float32")


def test_weights_of_another_shape(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"intermediate_size": 256}))
    with pytest.raises(ModelError, match="cannot load"):
        HFBackend(str(copy), dtype="float32")


def test_a_damaged_configuration(copy: Path) -> None:
    (copy / "config.json").write_text("{")
    with pytest.raises(ModelError, match="cannot load"):
        HFBackend(str(copy), dtype="float32")


def test_a_model_of_an_unknown_kind(copy: Path) -> None:
    (copy / "config.json").write_text(json.dumps({"model_type": "telepathy"}))
    with pytest.raises(ModelError, match="telepathy"):
        HFBackend(str(copy), dtype="float32")


@pytest.mark.parametrize(
    ("options", "says"),
    [({"dtype": "float8"}, "unknown dtype"), ({"device": "toaster"}, "device"), ({"device": "cuda:99"}, "device")],
)
def test_options_that_cannot_be_are_refused_first(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        HFBackend("/no/such/folder", **options)


# -- models and adapters of the hub -----------------------------------------------------------------------


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def keep(cache: Path, name: str, folder: Path, commit: str = COMMIT) -> None:
    """Put a folder into the hub's cache, as if it had been downloaded."""
    kept = cache / f"models--{name.replace('/', '--')}"
    shutil.copytree(folder, kept / "snapshots" / commit)
    (kept / "refs").mkdir(exist_ok=True)
    (kept / "refs/main").write_text(commit)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache on this machine, empty, and a hub at which nobody answers."""
    folder = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
    return folder


@pytest.mark.usefixtures("cache")
def test_a_hub_that_does_not_answer_is_said_at_once_and_without_noise(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match=r"cannot load some/model: it is not on this machine, and the hub cannot be"):
        HFBackend("some/model")
    assert capfd.readouterr().err == ""


def test_what_was_downloaded_before_needs_no_hub(tiny_model: Path, cache: Path) -> None:
    keep(cache, "some/model", tiny_model)
    backend = HFBackend("some/model", dtype="float32")
    assert (backend.name, backend.fingerprint) == ("some/model", COMMIT)
    with pytest.raises(ModelError, match="cannot load the adapter some/adapter: it is not on this machine"):
        HFBackend("some/model", dtype="float32", adapter="some/adapter")


def test_the_commit_of_an_adapter_is_part_of_the_identity(tiny_model: Path, adapter: Path, cache: Path) -> None:
    identities: list[dict[str, Any]] = []
    for commit in (COMMIT, COMMIT[::-1]):
        keep(cache, "some/adapter", adapter, commit)
        identities.append(HFBackend(str(tiny_model), dtype="float32", adapter="some/adapter").identity())
    assert identities[0]["fingerprint"].endswith(f"+{COMMIT}")
    assert identities[0] != identities[1]
    assert identities[0].keys() == identities[1].keys()


# -- code that comes with a model -----------------------------------------------------------------------


def test_code_of_a_model_is_not_executed(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where somebody sits at the terminal who could be asked."""
    trace = tmp_path / "executed"
    code = f"from pathlib import Path\nPath({str(trace)!r}).touch()\nfrom transformers import *\n"
    (copy / "evil.py").write_text(
        code
        + "class EvilConfig(Qwen2Config):\n    model_type = 'evil'\nclass EvilModel(Qwen2ForCausalLM):\n"
        + "    config_class = EvilConfig\nclass EvilTokenizer(PreTrainedTokenizerFast):\n    pass\n"
    )
    config = json.loads((copy / "config.json").read_text())
    config |= {
        "model_type": "evil",
        "auto_map": {"AutoConfig": "evil.EvilConfig", "AutoModelForCausalLM": "evil.EvilModel"},
    }
    (copy / "config.json").write_text(json.dumps(config))
    path = copy / "tokenizer_config.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | {"auto_map": {"AutoTokenizer": ["evil.EvilTokenizer", None]}}))
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    with pytest.raises(ModelError, match="cannot load") as caught:
        HFBackend(str(copy), dtype="float32")
    assert not trace.exists()
    assert "trust_remote_code=True" in caught.value.hint


# -- adapters -------------------------------------------------------------------------------------------


def test_an_adapter_changes_the_texts_as_peft_does(tiny_model: Path, adapter: Path) -> None:
    peft = pytest.importorskip("peft")
    base = HFBackend(str(tiny_model), dtype="float32")
    adapted = HFBackend(str(tiny_model), dtype="float32", adapter=str(adapter))
    requests = [request(text, max_tokens=12) for text in ("Q: a", "How many apples?", "step by step " * 5)]
    found = complete(adapted, requests)
    assert [answer.text for answer in found] != texts(base, requests)

    plain = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        base.model = peft.PeftModel.from_pretrained(plain, adapter).eval()
    assert [(answer.text, answer.completion_tokens) for answer in found] == [greedy(base, asked) for asked in requests]


def test_an_adapter_is_part_of_the_identity(tiny_model: Path, adapter: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(adapter, tmp_path / "adapter"))
    first = HFBackend(str(tiny_model), dtype="float32", adapter=str(folder)).identity()
    assert first["adapter"] == str(folder)
    assert first != HFBackend(str(tiny_model), dtype="float32").identity()
    write_adapter(tiny_model, folder, seed=2)
    assert HFBackend(str(tiny_model), dtype="float32", adapter=str(folder)).identity() != first


def test_wrong_adapters(tiny_model: Path, adapter: Path, tmp_path: Path) -> None:
    for wrong in ("/no/such/adapter", "some-one/no-such-adapter", str(tmp_path)):
        with pytest.raises(ModelError, match="cannot load the adapter") as caught:
            HFBackend(str(tiny_model), dtype="float32", adapter=wrong)
        assert "\n" not in caught.value.message
    damaged = Path(shutil.copytree(adapter, tmp_path / "damaged"))
    (damaged / "adapter_model.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(ModelError, match="cannot load the adapter"):
        HFBackend(str(tiny_model), dtype="float32", adapter=str(damaged))


def test_an_adapter_for_another_model(adapter: Path, copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    config |= {"num_attention_heads": 2, "head_dim": 16}
    Qwen2ForCausalLM(Qwen2Config(**config)).save_pretrained(copy)
    with pytest.raises(ModelError, match="cannot load the adapter"):
        HFBackend(str(copy), dtype="float32", adapter=str(adapter))


# -- packages that are not installed ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("package", "options", "extra"),
    [("bitsandbytes", {"quantization": "nf4"}, "quantization"), ("peft", {"adapter": "some/where"}, "adapter")],
)
def test_a_missing_package_is_named_with_its_extra(
    package: str, options: Any, extra: str, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelError, match=package) as caught:
        HFBackend(str(tiny_model), **options)
    assert caught.value.hint == f'pip install "promptkit[{extra}]"'


# -- precision ------------------------------------------------------------------------------------------


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("quantization", ["nf4", "int8"])
def test_a_quantized_model_generates(quantization: Any, tiny_model: Path, adapter: Path) -> None:
    requests = [request(text, max_tokens=6) for text in ("Q: a", "How many apples?", "step by step " * 5)]
    try:
        backend = HFBackend(str(tiny_model), quantization=quantization, batch_size=2)
    except ModelError as error:
        pytest.skip(f"bitsandbytes cannot do it here: {error}")
    layer = backend.model.model.layers[0].mlp.up_proj
    assert type(layer).__module__.startswith("bitsandbytes")
    assert all(
        answer.completion_tokens == 6 or answer.finish_reason == "stop" for answer in complete(backend, requests)
    )
    assert backend.identity()["quantization"] == quantization
    adapted = HFBackend(str(tiny_model), quantization=quantization, adapter=str(adapter), batch_size=2)
    assert texts(adapted, requests) != texts(backend, requests)


def test_the_precision_asked_for_is_used(tiny_model: Path) -> None:
    for dtype in (torch.float32, torch.bfloat16):
        model = HFBackend(str(tiny_model), dtype=str(dtype).removeprefix("torch.")).model
        assert {weight.dtype for weight in model.parameters()} == {dtype}


def test_the_faster_precision_is_one_of_two() -> None:
    start = time.perf_counter()
    assert fastest_dtype(torch.device("cpu")) in (torch.float32, torch.bfloat16)
    assert time.perf_counter() - start < 5


def test_packed_weights_change_nothing(tiny_model: Path) -> None:
    """The layers are laid out anew for the processor; who looks at their weight still finds it."""
    packed = HFBackend(str(tiny_model), dtype="float32")
    plain = HFBackend(str(tiny_model), dtype="float32", pack_weights=False)
    inside = packed.model.model.layers[0].mlp.up_proj
    assert torch.equal(inside.weight, plain.model.model.layers[0].mlp.up_proj.weight)
    requests = [request(text, max_tokens=12) for text in ("Q: a", "How many apples?")]
    assert texts(packed, requests) == texts(plain, requests)


def test_the_fingerprint_follows_the_files(copy: Path) -> None:
    first = HFBackend(str(copy), dtype="float32").fingerprint
    assert HFBackend(str(copy), dtype="float32").fingerprint == first
    tokenizer: Any = AutoTokenizer.from_pretrained(copy)
    tokenizer.chat_template = "{{ messages[0]['content'] }}"
    tokenizer.save_pretrained(copy)
    assert HFBackend(str(copy), dtype="float32").fingerprint != first
