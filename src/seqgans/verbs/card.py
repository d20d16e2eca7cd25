"""The card of an exported model: what it was made of, how, and what came of it, in the form that model hubs show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqgans.algorithms import ALGORITHMS
from seqgans.report.markdown import markdown
from seqgans.training.folder import RunFolder
from seqgans.training.recipe import Recipe

SHOWN = ("nll_gen_test", "exact_match", "f1", "answer_length", "bleu_4", "self_bleu_4", "distinct_2", "duplicates")
CITED = """@software{seqgans, title = {seqgans: every sequence GAN, one trainer}, year = {2026}, license = {MIT}}"""


def card(folder: RunFolder, recipe: Recipe, checkpoint: str) -> str:
    """A README in Markdown, with the head of YAML that hubs read.

    Args:
        folder: of the run.
        recipe: its settings.
        checkpoint: which checkpoint was exported.
    """
    base = getattr(recipe.generator_settings, "model", "")
    head = ["---", "library_name: transformers", "pipeline_tag: text-generation", "tags:", "- seqgans"]
    head += [f"- {recipe.algorithm}", *([f"base_model: {base}"] if base and not Path(base).exists() else []), "---"]
    corpus = folder.read_json("corpus.json")
    counts = {split: corpus["facts"].get(split, {}).get("kept") for split in ("train", "valid", "test")}
    known = ", ".join(f"{split} {count}" for split, count in counts.items() if count is not None)
    report = folder.read_report() if (folder.path / "report.json").is_file() else {}
    rounds, found = report.get("rounds", {}), findings(folder)
    played = f"{rounds['played']} of {rounds['of']} rounds of the game were played." if rounds else ""
    paper = ALGORITHMS[recipe.algorithm].paper
    parts = [
        "\n".join(head),
        f"# {Path(base).name or recipe.generator}, fine-tuned by {recipe.algorithm}",
        f"Made from `{base}` by {recipe.algorithm} ({paper}) with seqgans: a discriminator learnt beside the model to "
        f"tell its answers from those of `{recipe.corpus}`. This is the {checkpoint} checkpoint. {played}".rstrip(),
        f"Sequences: {known}; up to {corpus['length']} tokens each.",
        "## Before and after",
        figures_of(report.get("evaluations", {})),
        *(["## What was noticed", *(f"- {line['detector']}: {line['saw']}" for line in found)] if found else []),
        "## Settings",
        f"```yaml\n{recipe.to_yaml()}```",
        "## Use",
        "```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        'model = AutoModelForCausalLM.from_pretrained("THIS FOLDER")\n'
        'tokenizer = AutoTokenizer.from_pretrained("THIS FOLDER")\n```',
        "## Cite",
        f"{paper}\n\n    {CITED}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def figures_of(evaluations: Mapping[str, Mapping[str, Any]]) -> str:
    """A table of figures before the game and after it; a line where nothing was measured."""
    stages = [stage for stage in ("untrained", "pretrained", "final") if stage in evaluations]
    names = [name for name in SHOWN if any(name in evaluations[stage] for stage in stages)]
    if not names:
        return "Nothing was measured."
    rows = []
    for name in names:
        values = [evaluations[stage].get(name, {}).get("mean") for stage in stages]
        rows.append([name, *("–" if value is None else f"{value:.4g}" for value in values)])
    return markdown(["figure", *stages], rows)


def findings(folder: RunFolder) -> list[dict[str, Any]]:
    """What the detectors of the run said."""
    return [line for line in folder.events() if line["kind"] == "finding"]
