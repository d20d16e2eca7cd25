"""What combines with any game: settings, and how they turn one schedule into another.

An algorithm says what happens as data (`Schedule`), so an option changes data: a phase more in each round, another
gathering, a term more in a loss. No algorithm knows of them, and without options its schedule is used as it is.
"""

from __future__ import annotations

from seqgans.options.equipped import OF_ONE_GAME, Equipped, equipped, option_players
from seqgans.options.settings import Options
from seqgans.options.several import together

__all__ = ["OF_ONE_GAME", "Equipped", "Options", "equipped", "option_players", "together"]
