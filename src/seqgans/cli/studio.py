"""Studio: a link on stdout, and a web application behind it until it is interrupted."""

from __future__ import annotations

import sys
import webbrowser

from seqgans.cli.arguments import Parser
from seqgans.errors import BadInput
from seqgans.web.serve import HERE, PORT, STORE, studio


def run_studio(words: list[str]) -> None:
    """`seqgans studio`: serve until Ctrl-C; the link that lets in stands on stdout."""
    parser = Parser(
        "studio",
        "studio (RUNS | SAMPLES_FILE)... [--port N] [--store FILE] [--browser]",
        f"A web application on {HERE}, for this machine alone: runs in progress, sampling by hand, and a blind test of "
        "real against generated sequences with several judges. Nothing is sent anywhere.",
    )
    parser.add_argument(
        "runs",
        type=str,
        nargs="*",
        metavar="RUNS",
        help="folders of runs, or folders that hold some; files of samples beside them, for the blind test",
    )
    parser.add_argument("--port", type=int, metavar="N", default=PORT, help=f"where to listen, 0 for any ({PORT})")
    parser.add_argument(
        "--store", type=str, metavar="FILE", default=STORE, help=f"items, judges and answers of the test ({STORE})"
    )
    parser.add_argument("--browser", action="store_true", help="also open the link in the default browser")
    given = parser.read(words)
    if not given.runs:
        raise BadInput("studio needs at least one folder: a run, or one that holds runs")

    def announce(link: str) -> None:
        sys.stdout.write(f"{link}\n")
        sys.stdout.flush()
        sys.stderr.write("the studio runs until Ctrl-C; the link above is yours alone\n")
        if given.browser:
            webbrowser.open(link)

    studio(given.runs, given.port, given.store, announce)
