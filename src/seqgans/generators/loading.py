"""Pre-trained language models from a folder, a GGUF file or a hub, as `transformers` loads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import torch

from seqgans.data.packages import optional_package
from seqgans.data.tokenizer import GGUF, address, base_of, check_there
from seqgans.errors import BadInput

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
            reason = " ".join(str(error).split())
            raise BadInput(
                f"{spec} must be a causal language model or an encoder-decoder: a folder of `save_pretrained` with "
                f"safetensors, a .gguf file or a name on the hub; {reason[:300]}"
            ) from error
    if report is not None:
        check_complete(spec, model, report, head)
    model = (model if more else model.float()).eval()  # a GGUF file is float32 already and refuses to be asked
    if not both and not causal(model):
        raise BadInput(f"{spec} must be a causal language model, but it reads what follows a token too; choose another")
    return model


def check_complete(spec: str, model: Any, report: Mapping[str, Any], head: bool) -> None:
    """Refuse a model some of whose parameters were drawn afresh, because its weights do not hold them.

    Args:
        spec: what was asked for.
        model: as it was loaded.
        report: what `transformers` found missing, and of another shape.
        head: whether the head must be there, and be one that writes.

    Raises:
        BadInput: a parameter is missing or has another shape, or the model is a classifier that should write.
    """
    kind = next(iter(getattr(model.config, "architectures", None) or ()), "")
    if head and kind.endswith(CLASSIFIERS):
        raise BadInput(f"{spec} must be a model that writes, but is a {kind}; choose the model it was made from")
    if report["mismatched_keys"]:
        name, there, here = min(report["mismatched_keys"])
        raise BadInput(
            f"the weights of {spec} must fit its config.json, but {name} has the shape {list(there)} there and "
            f"{list(here)} here; save both again, together"
        )
    parts = {} if head else {id(part): name for name, part in model.named_modules()}
    own = parts.get(id(model.get_output_embeddings()), "")
    every = [name for name, _ in model.named_parameters(remove_duplicate=False)]  # what is tied is never missing
    missing = [name for name in every if name in report["missing_keys"] and not (own and name.startswith(f"{own}."))]
    if missing:
        raise BadInput(
            f"the weights of {spec} must hold every parameter of a {type(model).__name__}, but {len(missing)} of "
            f"{len(every)} are missing ({missing[0]} first); save the whole model again, or choose another"
        )


def with_adapters(model: Any, folder: str) -> Any:
    """A model with the adapters of a folder added to its own parameters, as if it had learnt so all along.

    Raises:
        BadInput: there are no adapters that fit the model, or they are pickled.
    """
    peft = optional_package("peft", f"the low-rank adapters of {folder}", extra="lm")
    if not (Path(folder) / "adapter_model.safetensors").is_file():
        raise BadInput(f"{folder} must hold adapter_model.safetensors beside adapter_config.json; save it there")
    try:
        return peft.PeftModel.from_pretrained(model, folder).merge_and_unload().eval()
    except Exception as error:  # a damaged file can make its reader raise anything
        reason = " ".join(str(error).split())
        raise BadInput(
            f"the adapters of {folder} must fit {base_of(folder)}, for which they are; {reason[:300]}"
        ) from error


@torch.no_grad()
def causal(model: Any) -> bool:
    """Whether what a model makes of a token depends on nothing behind it, tried on two pairs of ids."""
    last = model.get_input_embeddings().weight.shape[0] - 1
    ids = torch.tensor([[0, 0], [0, last]])
    first = model.base_model(input_ids=ids).last_hidden_state[:, 0]
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
