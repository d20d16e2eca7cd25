"""Export: a run in, a folder for plain transformers out."""

from __future__ import annotations

import sys

from seqgans.cli.arguments import Parser, add_checkpoint, dashed
from seqgans.cli.writing import writable_folder
from seqgans.verbs.export import export


def run_export(words: list[str]) -> None:
    """`seqgans export`: the folder's name on stdout."""
    parser = Parser(
        "export",
        "export DIR --out FOLDER [--checkpoint NAME]",
        "Write a fine-tuned language model and its tokenizer as save_pretrained does, adapters merged, so that "
        "AutoModelForCausalLM.from_pretrained(FOLDER) loads it.",
    )
    parser.add_argument("dir", type=str, metavar="DIR", help="a run's folder")
    parser.add_argument("--out", type=str, metavar="FOLDER", required=True, help="a folder that does not exist yet")
    add_checkpoint(parser)
    given = parser.read(dashed(words))
    writable_folder(given.out, given.dir)
    sys.stdout.write(f"{export(given.dir, given.out, given.checkpoint)}\n")
