"""What combines with any game: settings, and how they turn one schedule into another.

An algorithm says what happens as data (`Schedule`), so an option changes data: a phase more in each round, another
gathering, a term more in a loss. No algorithm knows of them, and without options its schedule is used as it is.
"""

from __future__ import annotations

from seqgans.options.equipped import Equipped, equipped, option_players
from seqgans.options.settings import Options

__all__ = ["Equipped", "Options", "equipped", "option_players"]
