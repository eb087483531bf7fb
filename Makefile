# Two commands matter: `make drill` and `make test`. Each does all of its own set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SIZE ?= full
SCENARIO ?= node-loss

.PHONY: drill test test-shared test-alone test-clusters test-clusters-ci test-odoo install install-dev lint types contracts campaign campaign-tests soak selftest bench mutation track-record season season-scan season-keep repeatability lock clean

drill: install  ## break it, watch it come back, say what was lost
	@$(BIN)/peakdrill run $(SCENARIO) --on embedded --size $(SIZE)

install: $(VENV)/.drill
install-dev: $(VENV)/.dev

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.drill: requirements/drill.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/drill.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@ $(VENV)/.drill

# Most tests share both cores; those that trade, break or time have the machine to themselves.
PYTEST = mkdir -p .tmp; base=$$(mktemp -d $(CURDIR)/.tmp/pytest.XXXXXX); status=0; \
  $(BIN)/python -m pytest --basetemp=$$base/tests $(1) $(PYTEST_ARGS) tests || status=$$?; rm -rf $$base; exit $$status
test: install-dev lint types contracts  ## everything that must hold
	@status=0; $(MAKE) test-shared || status=$$?; $(MAKE) test-alone || status=$$?; exit $$status
test-shared: install-dev
	@$(call PYTEST,-n 3 --dist worksteal --half=shared)
test-alone: install-dev
	@$(call PYTEST,--half=alone)

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install-dev
	$(BIN)/mypy

contracts: install-dev
	$(BIN)/lint-imports --no-cache

# Marker:words of pytest, one after the other, since two stacks at once are too much for a small machine.
CONTRACTS := tests/contracts
ALL_CLUSTERS := containers:tests kubernetes:$(CONTRACTS) kubernetes:tests,--ignore=$(CONTRACTS)
# What fits into the time that CI has, a quarter of an hour; the rest is for whoever changes a platform.
LONG := --ignore=tests/contracts/test_contract_clean_room.py
FAULTS := tests/kubernetes/faults/test_cluster_faults_smoke.py,tests/kubernetes/faults/test_cluster_faults_killed.py
test-clusters: CLUSTERS := $(ALL_CLUSTERS)
test-clusters-ci: CLUSTERS := containers:$(CONTRACTS),$(LONG),tests/containers/test_containers_drills.py \
  kubernetes:$(CONTRACTS),$(LONG) kubernetes:$(FAULTS)
test-clusters test-clusters-ci: install-dev  ## breaks the cluster of KUBECONFIG, and starts containers by DOCKER_HOST
	@mkdir -p .tmp; base=$$(mktemp -d $(CURDIR)/.tmp/pytest.XXXXXX); status=0; \
	for part in $(foreach part,$(CLUSTERS),'$(part)'); do \
	  $(BIN)/python -m pytest -m $${part%%:*} --basetemp=$$base/part $(PYTEST_ARGS) \
	    $$(echo $${part#*:} | tr , ' ') || status=$$?; \
	done; rm -rf $$base; exit $$status

test-odoo: install-dev  ## a drill on Debian's odoo-14: needs root, debootstrap and a mirror
	$(BIN)/python -m pytest -m odoo $(PYTEST_ARGS) tests/odoo

KILLS ?= 200
SEED ?= 20261128
campaign: install-dev  ## hours: KILLS random SIGKILLs by SEED; started again, it goes on
	@$(BIN)/python -m tests.campaign.crash --kills $(KILLS) --seed $(SEED) $(CAMPAIGN_ARGS)
campaign-tests: install-dev  ## hours: the tests of faults that are marked so
	$(BIN)/python -m pytest -m campaign $(PYTEST_ARGS)

MINUTES ?= 120
EVERY ?= 10
soak: install-dev  ## MINUTES of load, a fault EVERY so many: does anything grow, is anything left?
	@$(BIN)/python -m tests.soak.soak --minutes $(MINUTES) --every $(EVERY) $(SOAK_ARGS)

selftest: install  ## every planted defect, and twenty clean runs: about twenty minutes
	@$(BIN)/peakdrill selftest --size $(SIZE)

bench: install-dev  ## what the instrument costs beside others, as a table; SIZE=quick or full
	@$(BIN)/python -m tests.bench.bench --size $(SIZE) $(BENCH_ARGS)

mutation: install-dev  ## does a test hold every decision of harness/core? MUTATION_ARGS=--sample=0 tries all
	@$(BIN)/python -m tests.mutation.mutate $(MUTATION_ARGS)

track-record: install-dev  ## every defect of docs/track-record.md, reproduced
	@mkdir -p .tmp; base=$$(mktemp -d $(CURDIR)/.tmp/pytest.XXXXXX); status=0; \
	$(BIN)/python -m pytest -m track_record --basetemp=$$base $(PYTEST_ARGS) tests/track_record || status=$$?; \
	rm -rf $$base; exit $$status

season: install-dev  ## hours: at least 60 real smoke drills, for the gate and readiness
	$(BIN)/python -m tests.season.conduct --out $(CURDIR)/runs/season

SEASON ?= $(CURDIR)/runs/season
season-scan: install-dev  ## does any output of the season hold a credential?
	$(BIN)/python -m tests.season.scan $(SEASON)

season-keep: install-dev  ## the season without its bulk, as test data
	$(BIN)/python -m tests.season.keep $(SEASON)

repeatability: install-dev  ## every supported Python that is here gives the same bytes
	$(BIN)/python -m tests.repeatability.compare --cache $(CURDIR)/.tmp/pythons

lock:  ## needs uv
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --overrides requirements/overrides.txt --all-extras --group dev pyproject.toml -o requirements/dev.txt -q
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --overrides requirements/overrides.txt --extra embedded --extra observability -c requirements/dev.txt pyproject.toml -o requirements/drill.txt -q

clean:
	rm -rf $(VENV) .tmp runs .mypy_cache .ruff_cache .pytest_cache .hypothesis
