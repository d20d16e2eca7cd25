"""One file per paper, and the table of them."""

from __future__ import annotations

from seqgans.algorithms.base import Algorithm
from seqgans.algorithms.catgan import CatGAN
from seqgans.algorithms.coldgan import ColdGAN
from seqgans.algorithms.fmgan import FMGAN
from seqgans.algorithms.gsgan import GSGAN
from seqgans.algorithms.jsdgan import JSDGAN
from seqgans.algorithms.leakgan import LeakGAN
from seqgans.algorithms.likelihood import Likelihood
from seqgans.algorithms.maligan import MaliGAN
from seqgans.algorithms.maskgan import MaskGAN
from seqgans.algorithms.pg_bleu import PGBLEU
from seqgans.algorithms.rankgan import RankGAN
from seqgans.algorithms.regs import REGS
from seqgans.algorithms.relgan import RelGAN
from seqgans.algorithms.rlgaf import RLGAF
from seqgans.algorithms.salgan import SALGAN
from seqgans.algorithms.scheduled_sampling import ScheduledSampling
from seqgans.algorithms.scratchgan import ScratchGAN
from seqgans.algorithms.sentigan import SentiGAN
from seqgans.algorithms.seqgan import SeqGAN
from seqgans.algorithms.textgan import TextGAN
from seqgans.algorithms.uniform import Random
from seqgans.algorithms.wgan import WGAN

ALGORITHMS: dict[str, type[Algorithm]] = {
    "random": Random,
    "likelihood": Likelihood,
    "scheduled-sampling": ScheduledSampling,
    "pg-bleu": PGBLEU,
    "seqgan": SeqGAN,
    "leakgan": LeakGAN,
    "relgan": RelGAN,
    "maskgan": MaskGAN,
    "maligan": MaliGAN,
    "rankgan": RankGAN,
    "jsdgan": JSDGAN,
    "sentigan": SentiGAN,
    "catgan": CatGAN,
    "scratchgan": ScratchGAN,
    "textgan": TextGAN,
    "fmgan": FMGAN,
    "gsgan": GSGAN,
    "wgan": WGAN,
    "salgan": SALGAN,
    "regs": REGS,
    "rlgaf": RLGAF,
    "coldgan": ColdGAN,
}


def reading_sources() -> list[str]:
    """The names of those that give their generator what each text of a corpus answers."""
    return [name for name, kind in ALGORITHMS.items() if getattr(kind, "reads_sources", False)]
