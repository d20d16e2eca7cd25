"""Train: precedence of defaults, file and flags; help; every wrong setting with its one line."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
import yaml

from seqgans.algorithms import ALGORITHMS
from seqgans.cli.train import glanced, merged, mind_launcher, read_order, spelled
from seqgans.generators import GENERATORS
from seqgans.rewards.answers import REWARDS
from seqgans.training.values import in_words


def order(*words: str) -> dict:
    return read_order([*words, "--out", "run"]).recipe.to_dict()


def test_the_documented_flags_fill_the_recipe() -> None:
    found = order(
        *("seqgan", "--corpus", "a.tsv", "--corpus.text", "1", "--seed", "3", "--device", "cpu", "--rounds", "4"),
        *("--pretrain-epochs", "2", "--eval-every", "7", "--checkpoint-every", "8", "--generator.name", "gru"),
        *("--generator.hidden", "64", "--discriminator.dropout", "0.5", "--algorithm.discriminator-steps", "6"),
    )
    assert found["corpus"] | {"spec": "a.tsv", "text": "1"} == found["corpus"]
    assert found["run"] | {"seed": 3, "device": "cpu", "eval_every": 7, "checkpoint_every": 8} == found["run"]
    assert (
        found["algorithm"] | {"name": "seqgan", "rounds": 4, "pretrain_epochs": 2, "discriminator_steps": 6}
        == (found["algorithm"])
    )
    assert found["generator"] | {"name": "gru", "hidden": 64} == found["generator"]
    assert found["discriminator"] | {"name": "cnn", "dropout": 0.5} == found["discriminator"]


def test_flags_overrule_the_file_and_the_file_overrules_defaults_in_any_order(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("algorithm: {rounds: 5, batch: 32}\nrun: {seed: 4}\ncorpus: {spec: oracle, length: 9}\n")
    for words in (("--rounds", "9", "--config", str(file)), ("--config", str(file), "--rounds", "9")):
        found = order("seqgan", *words)
        settings = found["algorithm"]
        assert (settings["rounds"], settings["batch"], settings["rollouts"]) == (9, 32, 16)
        assert (found["run"]["seed"], found["corpus"]["spec"], found["corpus"]["length"]) == (4, "oracle", 9)


def test_a_recipe_is_known_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From any folder; a file of that name goes first."""
    monkeypatch.chdir(tmp_path)
    found = order("--config", "seqgan/short", "--corpus", "a.txt", "--rounds", "3")
    assert found["algorithm"] | {"name": "seqgan", "rounds": 3, "baseline": "batch_mean"} == found["algorithm"]
    (tmp_path / "seqgan").mkdir()
    (tmp_path / "seqgan" / "short").write_text("algorithm: {name: likelihood}\n")
    assert order("--config", "seqgan/short", "--corpus", "a.txt")["algorithm"]["name"] == "likelihood"


def test_help_names_the_recipe_of_minutes(call) -> None:
    """Of algorithms that have one alone. Kills: a recipe that is not there."""
    assert "--config relgan/short" in " ".join(call("train", "relgan", "--help").out.split())
    assert "/short plays" not in call("train", "jsdgan", "--help").out


def test_a_recipe_on_an_oracle_plays_on_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Kills: a size of the oracle that cuts a text down, or that one is told to leave out of a shipped file."""
    found = order("--config", "relgan/toy", "--corpus", "a.txt", "--corpus.length", "30")
    plain = order("relgan", "--corpus", "a.txt", "--corpus.length", "30")
    assert found["corpus"] == plain["corpus"]
    assert found["algorithm"] != plain["algorithm"]
    said = "vocabulary_size, length, sequences of oracle in relgan/toy are not for a.txt: left out\n"
    assert capsys.readouterr().err == said
    assert order("--config", "relgan/toy", "--corpus", "oracle:b.safetensors")["corpus"]["length"] == 6
    assert order("--config", "relgan/toy")["corpus"]["vocabulary_size"] == 20
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_print_config_is_complete_and_comes_back_through_config(algorithm: str, call, tmp_path: Path) -> None:
    first = call("train", algorithm, "--corpus", "world:copy", "--seed", "5", "--print-config")
    assert first.code == 0
    assert first.err == ""
    written = yaml.safe_load(first.out)
    assert written["algorithm"]["name"] == algorithm
    assert written["run"]["seed"] == 5
    assert set(written["algorithm"]) == {"name", *(field.name for field in dataclasses.fields(ALGORITHMS[algorithm]))}
    file = tmp_path / "settings.yaml"
    file.write_text(first.out)
    for words in ((algorithm,), ()):  # a complete file names the algorithm
        assert call("train", *words, "--config", file, "--print-config") == first


def test_an_algorithm_has_sizes_of_its_own_for_its_usual_players(call) -> None:
    """They are defaults: a flag goes before them, they are not for other players, and the help shows them."""
    sizes = {"hidden": 32, "every_step": False}
    assert order("gsgan", "--corpus", "a.txt")["generator"].items() >= sizes.items()
    assert order("gsgan", "--corpus", "a.txt", "--generator.hidden", "7")["generator"]["hidden"] == 7
    assert order("gsgan", "--corpus", "a.txt", "--generator.name", "lstm")["generator"]["hidden"] == 32
    assert "every_step" not in order("gsgan", "--corpus", "a.txt", "--generator.name", "lstm")["generator"]
    assert order("textgan", "--corpus", "a.txt")["generator"].items() >= {"hidden": 500, "every_step": True}.items()
    shown = call("train", "gsgan", "--help").out
    assert "units of the LSTM (default: 32)" in " ".join(shown.split())


def test_help_explains_every_setting_with_its_default(call) -> None:
    found = call("train", "seqgan", "--help")
    text = " ".join(found.out.split())
    assert (found.code, found.err) == (0, "")
    for title in ("algorithm: seqgan", "generator: lstm", "discriminator: cnn", "corpus: how", "run: how"):
        assert title in text
    recipe = read_order(["seqgan", "--corpus", "oracle", "--out", "x"]).recipe.to_dict()
    for part, settings in recipe.items():
        for name in settings:
            option = (
                "--corpus SPEC" if name == "spec" else "ALGORITHM" if part == "algorithm" and name == "name" else ""
            )
            assert (option or f"--{part}.{name} ") in text
    assert "--rounds, --algorithm.rounds N rounds of the game (default: 200)" in text
    assert "--algorithm.rollouts N completions of each prefix (N) (default: 16)" in text
    assert "--corpus SPEC what is learnt from" in text


def test_help_says_which_values_there_are(call) -> None:
    """Mutants killed: a name in capitals in the place of the values; names of rewards for a reward that is no text."""
    shown = call("train", "rlgaf", "--help").out
    assert "--corpus.tokens {words,characters,bytepair}\n" in shown
    assert "--algorithm.shuffled true|false\n" in shown
    text = " ".join(shown.split())
    assert "--device, --run.device {auto,cpu,cuda} where networks live" in text
    assert "gumbel has its gradient cut (default: false)" in text
    assert f"; one of: {', '.join(REWARDS)} (default: logit)" in text
    text = " ".join(call("train", "salgan", "--help").out.split())
    assert "--algorithm.reward {rollouts,prefix}" in text
    assert REWARDS.keys() & set(text.partition("--algorithm.reward ")[2].partition("--")[0].split()) == set()


def test_help_without_an_algorithm_lists_them(call) -> None:
    found = call("train", "--help")
    assert found.code == 0
    assert all(name in found.out for name in ALGORITHMS)


KNOWN = ", ".join(sorted(ALGORITHMS))
CORPUS = ("--corpus", "world:copy")
HELP = "see seqgans train seqgan --help"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("seqgn", *CORPUS), f"no algorithm is called 'seqgn'; did you mean seqgan? choose one of: {KNOWN}"),
        (CORPUS, f"train needs the name of an algorithm; choose one of: {KNOWN}"),
        (("seqgan",), "train needs --corpus SPEC, the data to learn from; seqgans list corpora shows what it can be"),
        (("seqgan", "--corpus"), f"--corpus needs a value; {HELP}"),
        (("seqgan", *CORPUS, "--seed", "1", "--run.seed", "2"), f"--seed must be given once, got it 2 times; {HELP}"),
        (("seqgan", *CORPUS, "--rounds", "1e3x"), "algorithm.rounds must be a whole number, got '1e3x'"),
        (("seqgan", *CORPUS, "--rounds", "1.50"), "algorithm.rounds must be a whole number, got '1.50'"),
        (
            ("seqgan", *CORPUS, "--algorithm.discriminator-step", "7"),
            "no setting is called --algorithm.discriminator_step; did you mean --algorithm.discriminator_steps? "
            f"{HELP}",
        ),
        (
            ("seqgan", *CORPUS, "--discriminator-steps", "7"),
            f"no setting is called --discriminator-steps; did you mean --algorithm.discriminator_steps? {HELP}",
        ),
        (
            ("seqgan", *CORPUS, "--embedding", "7"),
            "no setting is called --embedding; did you mean --generator.embedding or --discriminator.embedding? "
            f"{HELP}",
        ),
        (("seqgan", *CORPUS, "--round", "7"), f"no setting is called --round; did you mean --algorithm.rounds? {HELP}"),
        (("seqgan", *CORPUS, "--nonsense", "7"), f"no setting is called --nonsense; {HELP}"),
        (("seqgan", *CORPUS, "--nonsense.x", "7"), f"no setting is called --nonsense.x; {HELP}"),
        (
            ("random", *CORPUS, "--rounds", "3"),
            "--rounds means nothing to random; leave it out, or see seqgans train random --help",
        ),
        (("seqgan", "relgan", *CORPUS), f"there is one word too many, 'relgan'; {HELP}"),
        (
            ("likelihood", *CORPUS, "--discriminator.embedding", "4"),
            "likelihood has no discriminator; leave out --discriminator.embedding",
        ),
        (
            ("seqgan", *CORPUS, "--algorithm.generator_rate", "nan"),
            "algorithm.generator_rate must be a number, got 'nan'",
        ),
        (
            ("seqgan", *CORPUS, "--algorithm.generator_rate", "-1"),
            "algorithm.generator_rate must be a finite number above 0, got -1.0",
        ),
        (("seqgan", *CORPUS, "--rounds", "many"), "algorithm.rounds must be a whole number, got 'many'"),
        (("seqgan", *CORPUS, "--rounds", "2.5"), "algorithm.rounds must be a whole number, got '2.5'"),
        (("seqgan", *CORPUS, "--run.tensorboard", "7"), "run.tensorboard must be true or false, got '7'"),
        (("seqgan", *CORPUS, "--device", "tpu"), "run.device must be one of: auto, cpu, cuda, got 'tpu'"),
        (
            ("seqgan", *CORPUS, "--discriminator.widths", "3,4"),
            "discriminator.widths must be a list of whole numbers such as [2, 3], got '3,4'",
        ),
        (
            ("seqgan", *CORPUS, "--generator.name", "lstn"),
            f"no generator is called 'lstn'; did you mean lstm? choose one of: {', '.join(sorted(GENERATORS))}",
        ),
        (
            ("rlgaf", "--corpus", "oracle", "--model", "folder"),
            "a pre-trained model reads text, the corpus oracle has none; give a file of text or a table",
        ),
        (("seqgan", *CORPUS, "--seed", "-1"), "run.seed must be at least 0, got -1"),
        (
            ("likelihood", "--corpus", "oracle", "--rounds", "1"),
            "--rounds means nothing to likelihood; leave it out, or see seqgans train likelihood --help",
        ),
        (
            ("seqgan", *CORPUS, "--config", "/nowhere.yaml"),
            "--config must be a YAML file or a recipe such as seqgan/short, /nowhere.yaml cannot be read: "
            "No such file or directory",
        ),
        (
            ("--config", "seqgan/shrt"),
            "no recipe is called 'seqgan/shrt'; did you mean seqgan/short? seqgans list recipes shows all",
        ),
        (("--config", "x/y"), "no recipe is called 'x/y'; seqgans list recipes shows all"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(words: tuple[str, ...], message: str, call, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert call("train", *words, "--out", out) == (2, "", f"seqgans: {message}\n")
    assert not out.exists()


def test_a_missing_out_is_said(call) -> None:
    expected = "seqgans: train needs --out DIR, a new folder for the run\n"
    for out in ((), ("--out", ""), ("--out=",)):
        assert call("train", "seqgan", *CORPUS, *out) == (2, "", expected)


def test_of_two_files_of_settings_none_is_dropped(call, tmp_path: Path) -> None:
    for second in (("--config", "seqgan/toy"), ("--config=seqgan/toy",)):
        found = call("train", "--config", "seqgan/short", *second, "--out", tmp_path / "run")
        assert found == (2, "", "seqgans: train takes one --config, got 2; write what differs as flags\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("algorithm: {rounds: x}", "algorithm.rounds must be a whole number, got 'x' (in {file})"),
        (
            "algorithm: {round: 5}",
            f"no setting is called algorithm.round; did you mean algorithm.rounds? {HELP} (in {{file}})",
        ),
        (
            "algorithm: {rounds: 5, batch: 32}\nrun: {seed: 1}\nalgorithm: {rounds: 6}",
            "settings must have each key once, algorithm stands twice (again in line 3) (in {file})",
        ),
        (
            "algorithm:\n  rounds: 5\n  rounds: 6",
            "settings must have each key once, rounds stands twice (again in line 3) (in {file})",
        ),
        ("algorithm: 3", "algorithm must be a mapping of settings, got 3 (in {file})"),
        (
            "- 1",
            "settings must be a mapping with the keys algorithm, corpus, generator, discriminator, options, run; got "
            "list (in {file})",
        ),
        (
            "nonsense: 1",
            "settings have the parts algorithm, corpus, generator, discriminator, options, run, got nonsense "
            "(in {file})",
        ),
        ("algorithm: {generator_rate: .nan}", "algorithm.generator_rate must be a number, got nan"),
        (
            "algorithm: {name: relgan}",
            "{file} has settings of relgan, but seqgan was asked for; take algorithm: out of the file, or leave "
            "seqgan out",
        ),
        ("corpus: {text: 3}", "corpus.text must be text or null, got '3' (in {file})"),
    ],
)
def test_a_wrong_file_is_said_in_one_line(text: str, message: str, call, tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    found = call("train", "seqgan", *CORPUS, "--out", tmp_path / "run", "--config", file)
    assert found == (2, "", f"seqgans: {message.format(file=file)}\n")


def test_a_file_that_is_no_yaml_is_one_line(call, tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    for content in (b"a: [", b"\xff\xfe\x00"):
        file.write_bytes(content)
        found = call("train", "seqgan", *CORPUS, "--out", tmp_path / "run", "--config", file)
        assert found.code == 2
        assert found.out == ""
        assert found.err.startswith(("seqgans: settings must be YAML: ", "seqgans: --config must be a YAML file, "))
        assert found.err.count("\n") == 1
        assert found.err.endswith((f"(in {file})\n", "is not UTF-8 text\n"))
        assert "<unicode string>" not in found.err


def test_a_missing_corpus_and_a_used_folder_are_said(call, tmp_path: Path) -> None:
    found = call("train", "seqgan", "--corpus", "nowhere.txt", "--out", tmp_path / "run")
    assert found.code == 2
    assert found.err.startswith("seqgans: no file or corpus is called 'nowhere.txt'; ")
    assert found.err.count("\n") == 1
    assert not (tmp_path / "run").exists()
    (tmp_path / "mine").write_text("")
    message = f"--out must be a new or empty folder, {tmp_path} is not empty; choose another name"
    assert call("train", "random", *CORPUS, "--out", tmp_path) == (2, "", f"seqgans: {message}\n")
    inside = tmp_path / "mine" / "run"
    message = f"cannot make the folder {inside}: Not a directory; choose another place"
    assert call("train", "random", *CORPUS, "--out", inside) == (2, "", f"seqgans: {message}\n")
    message = f"--out must be a folder, {tmp_path / 'mine'} is a file; choose another name"
    assert call("train", "random", *CORPUS, "--out", tmp_path / "mine") == (2, "", f"seqgans: {message}\n")


def test_the_outcome_is_on_stdout_and_the_run_can_be_repeated_from_its_settings(runs: Path, call, tmp_path) -> None:
    found = call("train", "--config", runs / "likelihood-1" / "settings.yaml", "--out", tmp_path / "again")
    assert found.code == 0
    assert "NLL gen test" in found.out
    assert found.out.endswith(f"run: {tmp_path / 'again'}\n")
    ours, theirs = ((folder / "settings.yaml").read_text() for folder in (tmp_path / "again", runs / "likelihood-1"))
    assert ours == theirs
    samples = [call("sample", folder, "-n", "5").out for folder in (tmp_path / "again", runs / "likelihood-1")]
    assert samples[0] == samples[1]


def test_a_corpus_of_six_lines_has_fewer_figures_but_trains(call, tmp_path: Path) -> None:
    """Its test split is one sequence, which has no self-BLEU."""
    file = tmp_path / "six.txt"
    file.write_text("".join(f"{word} then\n" for word in ("one", "two", "three", "four", "five", "six")))
    words = ("--pretrain-epochs", "1", "--run.final-samples", "20", "--run.tensorboard", "false", "--device", "cpu")
    found = call("train", "likelihood", "--corpus", file, *words, "--out", tmp_path / "run")
    assert found.code == 0
    assert "self-BLEU-2" in found.out
    assert "real self BLEU" not in found.out


def test_resume_of_a_finished_run_and_of_none(runs: Path, call, tmp_path: Path) -> None:
    found = call("resume", tmp_path)
    message = f"{tmp_path} is not the folder of a run: it has no settings.yaml; name the --out of a train"
    assert found == (2, "", f"seqgans: {message}\n")
    assert call("resume") == (2, "", "seqgans: DIR is missing; see seqgans resume --help\n")
    found = call("resume", runs / "likelihood-2")
    assert (found.code, found.out.splitlines()[-1]) == (0, f"run: {runs / 'likelihood-2'}")
    assert found.err.splitlines()[-1] == "nothing was left to do: the run had come to its end"
    stopped = Path(shutil.copytree(runs / "likelihood-2", tmp_path / "stopped"))
    newest = max((stopped / "checkpoints").glob("step-*"))
    shutil.rmtree(newest)
    found = call("resume", stopped)
    assert found.code == 0, found.err
    assert "nothing was left" not in found.err


def test_spellings() -> None:
    assert spelled(["--pretrain_epochs=3", "--algorithm.a-b", "c-d", "--print_config", "--corpus", "x_y"]) == [
        *("--algorithm.pretrain_epochs=3", "--algorithm.a_b", "c-d", "--print-config", "--corpus.spec", "x_y")
    ]
    assert glanced(["--a.b", "seqgan", "relgan", "--print-config", "-n", "3", "--x=1"]) == (
        ["relgan"],
        {"--a.b": "seqgan", "--print-config": "", "-n": "3", "--x": "1"},
    )
    assert merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 4}, "e": 5}) == {"a": {"b": 4, "c": 2}, "d": 3, "e": 5}
    assert in_words(float | None) == "a number or null"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--config", "seqgan/toy", "--corpus", "--out", "x"),
            "--corpus needs a value; see seqgans train seqgan --help",
        ),
        (("seqgan", "--corpus", "x", "--out", "--seed", "1"), "--out needs a value; see seqgans train seqgan --help"),
        (("--config", "--out", "x"), "--config needs a value, a YAML file or a recipe; see seqgans train --help"),
    ],
)
def test_a_flag_is_no_value_of_another(call, words: tuple[str, ...], said: str) -> None:
    """Nothing is said before it, such as what of a recipe is not for a corpus called --out."""
    assert call("train", *words) == (2, "", f"seqgans: {said}\n")


@pytest.mark.parametrize(("sizes", "said"), [({}, True), ({"WORLD_SIZE": "2"}, False)])
def test_a_launcher_that_starts_one_process_is_told_of(
    sizes: dict[str, str], said: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a processor `accelerate launch --num_processes 2` sets a port and starts one process."""
    for name, value in {"MASTER_PORT": "1", "ACCELERATE_DYNAMO_BACKEND": "NO", **sizes}.items():
        monkeypatch.setenv(name, value)
    mind_launcher()
    assert ("give it --multi_gpu" in capsys.readouterr().err) == said
