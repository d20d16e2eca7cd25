"""Pre-trained language models from a folder, a GGUF file or a hub, as `transformers` loads them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import torch

from seqgans.data.packages import optional_package
from seqgans.data.tokenizer import GGUF, address, base_of, check_there
from seqgans.errors import BadInput
from seqgans.generators.fused import fused
from seqgans.memory import shortage

WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
CLASSIFIERS = ("Classification", "QuestionAnswering")  # how models are called whose head writes nothing


def load_model(spec: str, random: torch.Generator, head: bool = True) -> Any:
    """A causal language model or an encoder-decoder, with its head, in float32 and without dropout.

    A folder that holds `config.json` and no weights gives a model with freshly drawn parameters; one of low-rank
    adapters gives the model they were made for, with what they learnt added to it.

    Args:
        spec: a folder that `save_pretrained` wrote, a .gguf file, or a name on the hub.
        random: where fresh parameters come from.
        head: whether the head must come with the model; a judge has its own.

    Raises:
        BadInput: there is no such model, it writes nothing from left to right, it needs pickled weights, or its
            weights are damaged, incomplete or of another shape than its settings say.
    """
    if not spec:
        raise BadInput("a pre-trained generator must be told which model: give --model FOLDER, FILE.gguf or hub name")
    transformers = optional_package("transformers", "a pre-trained model", extra="lm")
    if (base := base_of(spec)) != spec:
        return with_adapters(load_model(base, random, head), spec)
    where, more = address(spec)
    if more:
        optional_package("gguf", "a GGUF file", extra="lm")
    check_there(spec)
    report = None
    with quiet(transformers), drawn_from(random):
        try:
            config = transformers.AutoConfig.from_pretrained(where, **more)
            both = getattr(config, "is_encoder_decoder", False)
            kind = transformers.AutoModelForSeq2SeqLM if both else transformers.AutoModelForCausalLM
            if bare(Path(spec)):
                model = kind.from_config(config)
            else:
                model, report = kind.from_pretrained(
                    where,
                    **more,
                    dtype=torch.float32,
                    use_safetensors=None if more else True,
                    ignore_mismatched_sizes=True,  # reported below, with their shapes
                    output_loading_info=True,
                )
        except Exception as error:  # a damaged file can make its reader raise anything
            raise unread(
                spec,
                error,
                f"{spec} must be a causal language model or an encoder-decoder: a folder of `save_pretrained` with "
                "safetensors, a .gguf file or a name on the hub",
            ) from error
    if report is not None:
        check_complete(spec, model, report, head)
    model = fused((unquantised(model) if more else model).float()).eval()
    if not both and not causal(model):
        raise BadInput(f"{spec} must be a causal language model, but it reads what follows a token too; choose another")
    return model


def unquantised(model: Any) -> Any:
    """A model that forgot the GGUF file it was read from: it is float32 by now, and moves and is saved as such."""
    for name in ("hf_quantizer", "quantization_method", "is_quantized"):
        model.__dict__.pop(name, None)
    for name in ("quantization_config", "_is_quantized"):
        model.config.__dict__.pop(name, None)
    return model


def unread(spec: str, error: Exception, must: str) -> BadInput:
    """What to raise where a model cannot be loaded: memory that was short is no fault of its files.

    Args:
        spec: what was asked for.
        error: what its reader said.
        must: what has to hold for it to be read.
    """
    if short := shortage(error):
        return BadInput(f"{short} for {spec}; choose a smaller model, or make room")
    return BadInput(f"{must}; {' '.join(str(error).split())[:300]}")


def check_complete(spec: str, model: Any, report: Mapping[str, Any], head: bool) -> None:
    """Refuse a model some of whose parameters were drawn afresh, or some of whose layers were left out.

    Args:
        spec: what was asked for.
        model: as it was loaded.
        report: what `transformers` found missing, of another shape, and not known to the model.
        head: whether the head must be there, and be one that writes.

    Raises:
        BadInput: a parameter is missing or has another shape, the weights hold layers that the settings do not speak
            of (other parts, such as another head, may be left over), or the model is a classifier that should write.
    """
    kind = next(iter(getattr(model.config, "architectures", None) or ()), "")
    if head and kind.endswith(CLASSIFIERS):
        raise BadInput(f"{spec} must be a model that writes, but is a {kind}; choose the model it was made from")
    if report["mismatched_keys"]:
        first = min(report["mismatched_keys"])
        name, *shapes = [first] if isinstance(first, str) else first  # older releases tell the name alone
        said = "the shape {} there and {} here".format(*map(list, shapes)) if shapes else "another shape"
        raise BadInput(
            f"the weights of {spec} must fit its config.json, but {name} has {said}; save both again, together"
        )
    parts = {} if head else {id(part): name for name, part in model.named_modules()}
    own = parts.get(id(model.get_output_embeddings()), "")
    prefix = trunk_name(model)
    every = [name for name, _ in model.named_parameters(remove_duplicate=False)]  # what is tied is never missing
    missing = [name for name in every if name in report["missing_keys"] and not (own and name.startswith(f"{own}."))]
    if missing:
        raise BadInput(
            f"the weights of {spec} must hold every parameter of a {type(model).__name__}, but {len(missing)} of "
            f"{len(every)} are missing ({missing[0]} first); save the whole model again, or choose another"
        )
    kinds = {unnumbered(name) for name in every} | {unnumbered(name.removeprefix(f"{prefix}.")) for name in every}
    more = sorted(name for name in report["unexpected_keys"] if unnumbered(name) in kinds)
    if more:
        raise BadInput(
            f"the weights of {spec} must fit its config.json, but hold {len(more)} parameters of layers that it does "
            f"not speak of ({more[0]} first); save both again, together"
        )


def unnumbered(name: str) -> str:
    """The name of a parameter, whichever layer it is of.

    >>> unnumbered("transformer.h.11.ln_1.bias")
    'transformer.h.#.ln_1.bias'
    """
    return ".".join("#" if part.isdigit() else part for part in name.split("."))


def with_adapters(model: Any, folder: str) -> Any:
    """A model with the adapters of a folder added to its own parameters, as if it had learnt so all along.

    Raises:
        BadInput: there are no adapters that fit the model, or they are pickled.
    """
    peft = optional_package("peft", f"the low-rank adapters of {folder}", extra="lm")
    if not (Path(folder) / "adapter_model.safetensors").is_file():
        raise BadInput(f"{folder} must hold adapter_model.safetensors beside adapter_config.json; save it there")
    must = f"the adapters of {folder} must fit {base_of(folder)}, for which they are"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is missing is said below
            adapted = peft.PeftModel.from_pretrained(model, folder)
            report = peft.set_peft_model_state_dict(adapted, peft.load_peft_weights(folder, device="cpu"))
    except Exception as error:  # a damaged file can make its reader raise anything
        raise unread(folder, error, must) from error
    ours = ".default."  # what peft calls them within the model, not in the file
    missing = [name.replace(ours, ".") for name in report.missing_keys if ours in name]
    other = [name.replace(ours, ".") for name in report.unexpected_keys]
    for names, fault in ((missing, "are not there"), (other, "fit no layer")):
        if names:
            first = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
            raise BadInput(f"{must}, but {len(names)} of their parameters {fault}: {first}; save them again")
    return adapted.merge_and_unload().eval()


def trunk_of(model: Any) -> Any:
    """A model without its head; some releases take the whole of a few models for its own trunk."""
    return getattr(model, "model", model) if model.base_model is model else model.base_model


def trunk_name(model: Any) -> str:
    """What a model calls its trunk."""
    trunk = trunk_of(model)
    return next(name for name, part in model.named_modules() if part is trunk)


@torch.no_grad()
def causal(model: Any) -> bool:
    """Whether what a model makes of a token depends on nothing behind it, tried on two pairs of ids."""
    last = model.get_input_embeddings().weight.shape[0] - 1
    ids = torch.tensor([[0, 0], [0, last]])
    first = trunk_of(model)(input_ids=ids).last_hidden_state[:, 0]
    return torch.allclose(first[0], first[1], atol=1e-4)


def bare(folder: Path) -> bool:
    """Whether a folder describes a model and holds no weights of one."""
    described = (folder / "config.json").is_file()
    return described and not any(True for pattern in (*WEIGHTS, "*.bin", f"*{GGUF}") for _ in folder.glob(pattern))


@contextmanager
def drawn_from(random: torch.Generator) -> Iterator[None]:
    """Let a library that knows only torch's global random numbers draw those of a generator; leave no trace there."""
    seed = int(torch.randint(1 << 62, (), generator=random, device=random.device))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """No progress bars and no advice while a model is loaded."""
    logging = transformers.utils.logging
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with redirect_stderr(StringIO()):
            yield
    finally:
        logging.set_verbosity(before)
        logging.enable_progress_bar()
