# Every command that a contributor or a visitor needs. `make eval` and `make test` install what they need into .venv.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The torch that is installed, see constraints.txt; TORCH=any leaves your own build in place.
TORCH ?= constrained

.PHONY: eval test check bench clean

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) not found (set PYTHON=, 3.11 or newer)"; exit 2; }
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
ifeq ($(TORCH),constrained)
	$(BIN)/pip install --quiet --requirement constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[hf,adapter,figures,hub,openai,prices,similarity,dev]"
else
	$(BIN)/pip install --quiet --editable ".[hf,adapter,figures,hub,openai,prices,similarity,dev]"
endif
	touch $@

# Compare five strategies on 64 word problems with the embedded model.
eval: $(STAMP)
	$(BIN)/promptkit eval --strategy direct --strategy zero-shot --strategy zero-shot-cot --strategy manual-cot \
	  --strategy self-consistency:n=5 --benchmark multiarith-style --limit 64 $(ARGS)

test: $(STAMP)
	$(BIN)/pytest $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/pytest tests/test_architecture.py

bench: $(STAMP)
	$(BIN)/python benchmarks/generation.py $(ARGS)

clean:
	rm -rf $(VENV) dist build .pytest_cache .ruff_cache .hypothesis
