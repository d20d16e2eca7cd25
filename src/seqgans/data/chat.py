"""Conversations as prompts and answers: columns of messages, written out by the chat template of a model's tokenizer.

    {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}
    {"prompt": [{"role": "user", "content": "…"}], "completion": [{"role": "assistant", "content": "…"}]}

The answer is the last message, which must be the assistant's; what stands before it is the prompt, up to and including
the words with which the template lets the assistant begin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from seqgans.data.assembly import corpus_of_texts
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.tokenizer import tokenizer_of_model
from seqgans.errors import BadInput

Message = dict[str, Any]
Cells = Callable[[str | None, str], Sequence[Any]]
"""The cells of a column, by its name and by the setting that chose it."""


def is_chat(cells: Sequence[Any]) -> bool:
    """Whether cells hold conversations: lists of messages."""
    first = next((cell for cell in cells if cell is not None), None)
    return isinstance(first, list) and bool(first) and isinstance(first[0], dict)


def written_out(
    path: Path | str, cells: Sequence[Any], prompts: Sequence[Any] | None, tokenizer: str | None
) -> tuple[list[str], list[str]]:
    """Prompts and answers of conversations, as text.

    Args:
        path: where they come from, for messages.
        cells: conversations or, where there are prompts, what answers each.
        prompts: what comes before each of the cells; None where they hold it themselves.
        tokenizer: folder, .gguf file or hub name of the model whose template writes them out.

    Raises:
        BadInput: there is no tokenizer, it has no template, or a conversation does not end with an answer.
    """
    if tokenizer is None:
        raise BadInput(
            f"{path} holds conversations, which a model's template writes out; give --model or --corpus.tokenizer"
        )
    template = tokenizer_of_model(tokenizer)
    if not template.chat_template:
        raise BadInput(
            f"the tokenizer of {tokenizer} must have a chat template for conversations such as in {path}; take a model "
            "with one, or columns of text"
        )
    sources, answers = [], []
    marks = [token.content for token in template.added_tokens_decoder.values() if token.special]  # of roles, say
    control = [token for token in dict.fromkeys([*template.all_special_tokens, *marks]) if token.strip()]
    for number, cell in enumerate(cells, start=1):
        talk = [*(prompts[number - 1] or [] if prompts is not None else []), *(cell or [])]
        checked(path, number, talk, control)
        before = template.apply_chat_template(talk[:-1], tokenize=False, add_generation_prompt=True)
        whole = template.apply_chat_template(talk, tokenize=False)
        if not whole.startswith(before):
            raise BadInput(
                f"the chat template of {tokenizer} must write an answer behind its prompt, but does not for row "
                f"{number} of {path}; take columns of text"
            )
        answer = whole[len(before) :].rstrip()
        sources.append(before)
        answers.append(answer.removesuffix(template.eos_token or ""))
    return sources, answers


def corpus_of_talks(
    spec: str, tables: Mapping[str, tuple[Path | str, Cells]], settings: CorpusSettings, seed: int
) -> Corpus:
    """Conversations as a corpus of prompts and answers, written out by the template of the model's tokenizer.

    Args:
        spec: what was asked for.
        tables: of each split its name in messages, and what gives the cells of a column that a setting chose.
        settings: how they are read.
        seed: how they are divided.

    Raises:
        BadInput: as `written_out`.
    """
    sources, texts = {}, {}
    for split, (name, cells) in tables.items():
        prompts = cells(settings.source, "source") if settings.source else None
        sources[split], texts[split] = written_out(name, cells(settings.text, "text"), prompts, settings.tokenizer)
    return corpus_of_texts(spec, texts, settings, seed, {"kind": "chat"}, None, sources, specials=True)


def checked(path: Path | str, number: int, talk: Sequence[Any], control: Sequence[str]) -> None:
    """Refuse a conversation that is none, that nobody answers, or in which a message would be read as control tokens.

    Raises:
        BadInput: a message has no role or text, or spells a control token; or the last is not the assistant's, or the
            only one.
    """
    if not all(
        isinstance(one, dict) and isinstance(one.get("role"), str) and isinstance(one.get("content"), str)
        for one in talk
    ):
        raise BadInput(f"{path} must hold messages with a role and a content, but row {number} does not; mend it")
    if len(talk) < 2 or talk[-1]["role"] != "assistant":
        raise BadInput(
            f"{path} must hold conversations that end with a message of the assistant, row {number} does not; mend it"
        )
    for one in talk:
        spelt = next((token for token in control if token in one["content"]), None)
        if spelt is not None:
            raise BadInput(
                f"{path} must hold messages of plain text, but row {number} spells {spelt!r}, which the model reads as "
                "a control token; write it otherwise, or leave the row out"
            )
