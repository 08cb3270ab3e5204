# Two commands for everyone: `make demo` and `make test`. Both install what they need into .venv and nothing elsewhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt
OUT ?= demo-output
FILES ?=
# The CPU build of this torch version is enough for conversion and training tests; it is installed first, so that
# nothing pulls a newer one with gigabytes of CUDA packages.
TORCH := torch==2.13.0

# Debian's own programs that some tests use: a browser, a database server, a speech synthesiser. Those tests are skipped
# without them.
DEBIAN := chromium postgresql espeak-ng

.PHONY: demo test bench lint types check system clean

demo: $(VENV)/.demo
ifeq ($(strip $(FILES)),)
	$(BIN)/python examples/demo_media.py $(OUT)/media
	$(BIN)/emonet estimate $(OUT)/media/astronaut.png $(OUT)/media/sentence.wav --report $(OUT)/report.html --output $(OUT)/scores.csv
else
	@mkdir -p $(OUT)
	$(BIN)/emonet estimate $(FILES) --report $(OUT)/report.html --output $(OUT)/scores.csv
endif
	@echo "Open $(OUT)/report.html in a browser; the table is in $(OUT)/scores.csv."

test: $(VENV)/.test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

# About half an hour on a quiet machine; rewrites the tables of docs/performance.md.
bench: $(VENV)/.test
	$(BIN)/python -m benchmarks.report --run

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.test
	$(BIN)/mypy

check: lint types test

# Needs root, and does nothing elsewhere than on Debian and its relatives.
system:
	@if command -v apt-get > /dev/null && ! dpkg -s $(DEBIAN) > /dev/null 2>&1; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(DEBIAN); \
	fi

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "emonet needs Python 3.11 or newer; give one with: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -e '.[video,demo]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) '$(TORCH)'
	$(PIP) -e '.[all,demo]' pytest hypothesis pytest-xdist ruff mypy import-linter krippendorff pandas psutil \
		playwright schemathesis httpx2 webdataset moto flask flask-cors nbclient nbformat ipykernel
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) $(OUT) build dist
