# Every command of the project; `make` alone lists them.
PYTHON := $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
SERVICE := .venv/bin/python
BOT := bot/.venv/bin/python
PROFILE ?= fast

.DEFAULT_GOAL := help
.PHONY: help setup setup-check run test check fix backup restore faults train eval-nlu eval-cross eval-entities eval-families eval-kb eval-answers eval-faithfulness eval-sentiment eval-personal-data eval-ask bench bench-kb bench-reports bench-desk bench-replay load run-scaled lock openapi fuzz

help: ## list the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it (for example from python.org or your package manager) and run make again."; exit 1; }

setup: python ## install everything the project needs into its own folder
	@$(PYTHON) tools/setup.py

run: python ## set up if needed, then start the desk with demo data
	@$(PYTHON) tools/setup.py --for run
	@exec $(SERVICE) tools/run.py

test: python ## set up if needed, then the whole test suite
	@$(PYTHON) tools/setup.py --for test
	@$(SERVICE) tools/test.py

backup: python ## [TO=folder]: databases, files, index, audit trail and secrets in one checked archive, also while the desk runs
	@$(PYTHON) tools/setup.py --for service
	@$(SERVICE) tools/backup.py $(if $(TO),--to $(TO))

restore: python ## FILE=archive [FORCE=1] [ERASURES=ledger|none]: check a backup, repeat erasures, put it in place
	@$(PYTHON) tools/setup.py --for service
	@$(SERVICE) tools/restore.py $(FILE) $(if $(FORCE),--force) $(if $(ERASURES),--erasures $(ERASURES))

faults: python ## [QUICK=1 | PHASE=names | RESUME=1]: kill the desk in every way, then look for lost, doubled and disordered messages
	@$(PYTHON) tools/setup.py --for service
	@$(SERVICE) -m tests.faults.run $(if $(QUICK),--quick) $(if $(PHASE),--only $(PHASE)) $(if $(RESUME),--resume)

openapi: python ## write the descriptions of both APIs (docs/openapi) from the code
	@$(PYTHON) tools/setup.py --for service
	@$(SERVICE) tools/describe.py

fuzz: python ## [MINUTES=10]: made-up and wrong requests against every address of a desk of its own, in every role
	@$(PYTHON) tools/setup.py --for service
	@$(SERVICE) -m tests.fuzzing --minutes $(or $(MINUTES),10)

setup-check: python
	@$(PYTHON) tools/setup.py --for check

check: setup-check ## formatting, lint, types (Python and TypeScript)
	$(SERVICE) -m ruff format --check .
	$(SERVICE) -m ruff check .
	$(SERVICE) -m mypy
	npm --prefix connectors/webchat/widget run --silent check
	npm --prefix handoff/web run --silent check

fix: ## format and fix what can be fixed automatically
	$(SERVICE) -m ruff format .
	$(SERVICE) -m ruff check --fix .

train: python ## validate nlu_data/ and train the bot's model
	@$(PYTHON) tools/setup.py --for train

eval-nlu: python ## DATA=file.jsonl [PROFILE=fast|accurate]: train and measure understanding on any data set (no DATA: the project's own test set)
	@$(PYTHON) tools/setup.py --for bot
	@cd bot && .venv/bin/python evaluate.py $(if $(DATA),--data $(abspath $(DATA)),--project) --profile $(PROFILE)

eval-entities: python ## [SET=file.yml]: the entity catalogue on its held-out lines, per type
	@$(PYTHON) tools/setup.py --for bot
	@cd bot && .venv/bin/python evaluate_entities.py --types $(if $(SET),--set $(abspath $(SET)))

eval-cross: python ## how well an intent taught in one language is understood in the other
	@$(PYTHON) tools/setup.py --for bot
	@cd bot && .venv/bin/python evaluate_cross.py

eval-families: python ## how people really write: ten families of lines through the trained model, figures per language [SHOW=dev|held lists what was missed]
	@$(PYTHON) tools/setup.py --for train
	@cd bot && .venv/bin/python -W ignore evaluate_families.py $(if $(SHOW),--show $(SHOW))

eval-kb: python ## KB=kb.jsonl QUERIES=q.jsonl: index and measure retrieval on any knowledge base (neither: the project's own)
	@$(PYTHON) tools/setup.py --for service
	@$(SERVICE) -m knowledge_base.evaluate $(if $(KB),--kb $(KB) --queries $(QUERIES),--project)

eval-faithfulness: python ## measure the checker of phrased answers on written sentences (SHOW=1: also print the wrong ones)
	@$(PYTHON) tools/setup.py --for service
	@$(SERVICE) -m knowledge_base.evaluate_faithfulness $(if $(SHOW),--show)

eval-answers: python ## PART=dev|test: measure what is quoted: slices, yes or no, form, faithfulness (default: the held-out questions)
	@$(PYTHON) tools/setup.py --for service
	@$(SERVICE) -m knowledge_base.evaluate_answers --part $(if $(PART),$(PART),test)

eval-sentiment: python ## [DATA=file.jsonl]: how messages feel, by the shipped model (no DATA: the project's held-out lines)
	@$(PYTHON) tools/setup.py --for service
	@$(SERVICE) -m sentiment.train --out $(or $(DATA_DIR),var)/sentiment
	@$(SERVICE) -m sentiment.evaluate --model $(or $(DATA_DIR),var)/sentiment $(if $(DATA),--data $(DATA))

eval-personal-data: python ## [SHOW=1]: what is found of phones, cards, addresses and names in held-out lines; precision and recall per kind
	@$(PYTHON) tools/setup.py --for service
	@$(SERVICE) -m personal_data.evaluate $(if $(SHOW),--show)

eval-ask: python ## [FILE=questions.jsonl] [NAMES=names.json]: which questions to the reports are understood as meant (no FILE: the project's own)
	@$(PYTHON) tools/setup.py --for service
	@$(SERVICE) -m reporting.evaluate_asking $(if $(FILE),--file $(FILE)) $(if $(NAMES),--names $(NAMES))

bench: python ## turn latency and throughput against a stock Rasa set-up, in one run
	@$(PYTHON) tools/setup.py --for train
	@$(SERVICE) -m benchmarks.turns

bench-kb: python ## PASSAGES=100000: ingest, search, restart and memory of a large knowledge base
	@$(PYTHON) tools/setup.py --for service
	@$(SERVICE) -m benchmarks.knowledge_scale --passages $(or $(PASSAGES),100000)

bench-replay: python ## [TURNS=5000] [CANDIDATE=archive]: recorded turns run again on the model, twice, without a difference
	@$(PYTHON) tools/setup.py --for train
	@echo "→ a log of $(or $(TURNS),5000) turns is built, which takes a minute or two"
	@cd bot && .venv/bin/python -W ignore bench_replay.py --turns $(or $(TURNS),5000) $(if $(CANDIDATE),--candidate $(abspath $(CANDIDATE)))

bench-reports: python ## [CONVERSATIONS=100000] [POSTGRES=postgresql+asyncpg://…/db]: a made-up history; reading it, every section of the reports, exports
	@$(PYTHON) tools/setup.py --for service
	@$(SERVICE) -m benchmarks.reports --conversations $(or $(CONVERSATIONS),100000) $(if $(POSTGRES),--url $(POSTGRES))

bench-desk: python ## [POSTGRES=postgresql+asyncpg://…/db]: 50 agents with live consoles, 500 who wait; how fast messages reach the right console
	@$(PYTHON) tools/setup.py --for service
	@$(SERVICE) -m benchmarks.desk_load $(if $(POSTGRES),--postgres $(POSTGRES))

load: python ## PROFILE=smoke|100-users|soak|spike|acks|promote [SCALED=1 | URL=…]: people on web sockets, REST and webhooks (open loop); throughput, ack and reply times, errors, memory
	@$(PYTHON) tools/setup.py --for run
	@$(SERVICE) $(if $(filter promote,$(PROFILE)),-m benchmarks.promoting $(if $(SCALED),--scaled),-m benchmarks.load $(if $(filter fast,$(PROFILE)),smoke,$(PROFILE)) $(if $(SCALED),--scaled) $(if $(URL),--url $(URL)))

run-scaled: python ## 2 services and 2 bots on local PostgreSQL and Redis: the browser journeys, then kills under load (SERVE=1: only start it)
	@$(PYTHON) tools/setup.py --for run
	@exec $(SERVICE) tools/run_scaled.py $(if $(SERVE),serve) $(if $(filter 0,$(JOURNEYS)),--no-journeys)

lock: ## resolve both lock files again
	uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 --group dev -q pyproject.toml -o requirements.lock
	cd bot && uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.10 --group dev -q pyproject.toml -o requirements.lock
