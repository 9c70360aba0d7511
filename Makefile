# Every command that a contributor or a visitor needs. `make eval` and `make test` install what they need into .venv.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# The torch that is installed, see constraints.txt; TORCH=any leaves your own build in place.
TORCH ?= constrained
ifeq ($(TORCH),constrained)
CONSTRAINT := --constraint constraints.txt
endif
# Byte code is written when a module is first imported, not for all of torch and scipy in advance.
PIP := $(BIN)/pip install --quiet --no-compile --disable-pip-version-check
EVERYTHING := hf,adapter,figures,hub,openai,prices,ray,similarity,dev

.PHONY: eval test coverage check bench docs clean

$(VENV)/.torch: constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) not found (set PYTHON=, 3.11 or newer)"; exit 2; }
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
ifeq ($(TORCH),constrained)
	$(PIP) --requirement constraints.txt
endif
	touch $@

$(VENV)/.eval: pyproject.toml $(VENV)/.torch
	$(PIP) $(CONSTRAINT) --editable ".[hf]"
	touch $@

$(VENV)/.everything: pyproject.toml $(VENV)/.torch
	$(PIP) $(CONSTRAINT) --editable ".[$(EVERYTHING)]"
	touch $@

# The documentation's tools alone: neither torch nor what the tests need.
$(VENV)/.docs: pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable ".[docs]"
	touch $@

# Compare five strategies on 64 word problems with the embedded model.
eval: $(VENV)/.eval
	$(BIN)/promptkit eval --strategy direct --strategy zero-shot --strategy zero-shot-cot --strategy manual-cot \
	  --strategy self-consistency:n=5 --benchmark multiarith-style --limit 64 $(ARGS)

# Two at a time: models of the tests are small, and two processes fit any machine. Each has one thread for a model.
TOGETHER := OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 --dist loadfile

test: $(VENV)/.everything
	$(TOGETHER) $(ARGS)

# Branch coverage of the package, with what commands do in processes of their own; less than 95 % is an error.
coverage: $(VENV)/.everything
	$(TOGETHER) --cov --cov-report=term $(ARGS)

check: $(VENV)/.everything
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/pytest tests/test_architecture.py

bench: $(VENV)/.everything
	$(BIN)/python -m benchmarks.generation $(ARGS)

# The site, in site/index.html. A broken link or a warning is an error.
docs: $(VENV)/.docs
	$(BIN)/python -m benchmarks.make_cli_reference
	$(BIN)/zensical build --clean --strict

clean:
	rm -rf $(VENV) dist build site .pytest_cache .ruff_cache .hypothesis .coverage*
