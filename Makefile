# make leaderboard   score the built-in systems, test the differences, build the site
# make test          run the tests
# Both set up what they need in .venv. More targets: make help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# PyTorch's own index, for a build other than the one that pip finds by itself (see README.md).
TORCH_INDEX ?=
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--constraint constraints.txt $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

.PHONY: help leaderboard baselines baselines-smoke test test-long browser test-site screenshots lint bench-mteb bench-large bench-codeswitch bench-stats bench-site bench-encoding bench-search bench-ranking bench-measures bench-ray test-load faults fuzz audit sbom calibrate wheel clean
.DEFAULT_GOAL := help

help:
	@echo "make leaderboard  score the built-in systems on 'pocket', compare them, build site/"
	@echo "make baselines    train all recipes and score them into submissions/entries; it goes on"
	@echo "                  where it was stopped and needs \$$BABELBOARD_DATA, see docs/training.md"
	@echo "make baselines-smoke  follow all recipes for a few steps, with a tiny model on 'pocket'"
	@echo "make test         run the tests"
	@echo "make test-long    run the tests that take long: runs that are stopped at every step"
	@echo "make test-load    give run-queue a thousand jobs that work, crash, hang and eat memory"
	@echo "make faults       kill, starve and damage each stage, and run it again"
	@echo "make fuzz         give the readers of files a million damaged ones"
	@echo "make test-site    open the site in chromium, which is installed with apt-get if need be"
	@echo "make screenshots  write pictures of all sorts of pages into build/screenshots"
	@echo "make lint         check style (ruff) and types (mypy)"
	@echo "make calibrate    simulate whether the tests keep their level; writes docs/calibration.md"
	@echo "make bench-mteb   time the same settings with mteb.evaluate, side by side"
	@echo "make bench-large  rank a corpus of an eighth of mMARCO's size, in bounded memory"
	@echo "make bench-codeswitch  time code-switching, in words a second"
	@echo "make bench-stats  time the significance tests against their matrix product and others"
	@echo "make bench-encoding  time encoding and reranking against sentence-transformers' own"
	@echo "make bench-search   time exact search against faiss"
	@echo "make bench-ranking  time ranks and measures against the bare matrix products"
	@echo "make bench-measures time measures against ranx, pytrec_eval and ir_measures"
	@echo "make bench-ray      time two workers of a Ray cluster against one"
	@echo "make bench-site   build the site of a thousand made-up entries, from nothing and again"
	@echo "make audit        look the pinned dependencies up among known vulnerabilities"
	@echo "make sbom         write the bill of materials, build/sbom.json"
	@echo "make wheel        build the package into dist/"
	@echo "make clean        remove what these made"

leaderboard: $(VENV)/score
	rm -rf build/entries && mkdir -p build && cp -R submissions/entries build/entries
	$(BIN)/babelboard score bm25 --name BM25 --task pocket --entries build/entries
	$(BIN)/babelboard score char-ngram --name "Character n-grams" --task pocket --entries build/entries
	$(BIN)/babelboard compare char-ngram bm25 --task pocket --entries build/entries
	$(BIN)/babelboard leaderboard --entries build/entries --out site

# A cross-encoder runs once for each question and candidate: with these settings and this depth for
# half a million of them in xquad-r, in place of 17 million in all settings at depth 100. They show
# it within each language, and across languages from English, the one that it is trained on.
baselines: $(VENV)/score
	$(BIN)/babelboard baselines --task xquad-r --task mlqa-r --dtype bfloat16 \
		--first-stage bm25 --depth 20 --rerank-settings 'moir/*' --rerank-settings 'clir/en-*'

baselines-smoke: $(VENV)/test
	$(BIN)/python -m tests.baselines.smoke

test: $(VENV)/test
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test-long: $(VENV)/test
	$(BIN)/python -m pytest --numprocesses 2 -m long

test-load: $(VENV)/test
	$(BIN)/python -m tests.queue.load

faults: $(VENV)/test
	$(BIN)/python -m tests.faults.run --cases 200

fuzz: $(VENV)/test
	$(PIP_INSTALL) --editable '.[score,test,fuzz]'
	$(BIN)/python -m tests.fuzz.run

# Debian's chromium, or another one that CHROMIUM names.
browser: $(VENV)/site
	@command -v "$${CHROMIUM:-chromium}" > /dev/null || \
		{ apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium; }

# axe-core looks for barriers, html-validate for what is not HTML.
test-site: browser
	npm ci --silent --no-fund --no-audit --prefix tests/site
	$(BIN)/python -m pytest tests/site -m site --numprocesses 2 --dist loadfile

screenshots: browser
	BABELBOARD_SCREENSHOTS=build/screenshots $(BIN)/python -m pytest tests/site/test_screenshots.py -m site

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench-mteb: $(VENV)/test
	$(BIN)/python -m tests.benchmarks.mteb_ratio

bench-large: $(VENV)/test
	$(BIN)/python -m tests.benchmarks.large_corpus

bench-codeswitch: $(VENV)/test
	$(BIN)/python -m tests.benchmarks.code_switching_rate

bench-stats: $(VENV)/test
	$(BIN)/python -m tests.benchmarks.significance_ratio

bench-encoding: $(VENV)/test
	$(BIN)/python -m tests.benchmarks.encoding_ratio

bench-ray: $(VENV)/test
	$(PIP_INSTALL) --editable '.[score,test,ray]'
	$(BIN)/python -m tests.benchmarks.ray_ratio

bench-search: $(VENV)/test
	$(PIP_INSTALL) --editable '.[score,test,bench]'
	$(BIN)/python -m tests.benchmarks.search_ratio

bench-ranking: $(VENV)/test
	$(BIN)/python -m tests.benchmarks.ranking_ratio

bench-measures: $(VENV)/test
	$(BIN)/python -m tests.benchmarks.measures_ratio

bench-site: $(VENV)/test
	$(BIN)/python -m tests.benchmarks.site_scale

calibrate: $(VENV)/test
	$(BIN)/python -m tests.calibration.run --write docs/calibration.md

# Tools that look at the dependencies have an environment of their own, with pins of their own.
AUDIT := build/audit-tools

audit: $(AUDIT)/ok
	$(AUDIT)/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

sbom: $(VENV)/score $(AUDIT)/ok
	$(AUDIT)/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type library \
		--output-reproducible --spec-version 1.6 --output-format JSON --output-file build/sbom.json $(BIN)/python

$(AUDIT)/ok: .github/audit-requirements.txt | $(VENV)/python-ok
	mkdir -p build
	$(BIN)/python -m venv $(AUDIT)
	$(AUDIT)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

wheel: $(VENV)/dev
	$(BIN)/python -m hatchling build -t wheel

clean:
	rm -rf $(VENV) build dist site

# One stamp a set of packages: each is installed once, and again when the pins change.
$(VENV)/python-ok:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "babelboard needs Python 3.11 or newer; name one: make PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/score: pyproject.toml constraints.txt | $(VENV)/python-ok
	@echo "Installing babelboard with its models into $(VENV) (about 2 GB, a few minutes)"
	$(PIP_INSTALL) --editable '.[score]'
	@touch $@

$(VENV)/test: $(VENV)/score
	$(PIP_INSTALL) --editable '.[score,test]'
	@touch $@

$(VENV)/site: $(VENV)/test
	$(PIP_INSTALL) --editable '.[score,test,site]'
	@touch $@

$(VENV)/dev: $(VENV)/test
	$(PIP_INSTALL) --editable '.[score,test,dev]'
	@touch $@
