# SPDX-License-Identifier: Apache-2.0
.DEFAULT_GOAL := help
.PHONY: help demo test lint fmt dev docs lock bench bench-ledger

ARGS ?=
bin := .venv/bin

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

demo: ## set up, then collect, evaluate, pack and verify a sample organisation
	@scripts/setup run
	@$(bin)/proofroom demo --dir proofroom-demo --no-serve

test: ## set up, then run the tests (ARGS are passed to pytest)
	@scripts/setup dev
	@$(bin)/pytest -n auto $(ARGS)

lint: ## formatting, lint, types and import contracts
	@scripts/setup dev
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports --no-cache

fmt: ## format the code and apply safe fixes
	@scripts/setup dev
	$(bin)/ruff check --fix --quiet . || true
	$(bin)/ruff format .

dev: ## serve on http://127.0.0.1:8080 from ./proofroom-demo, reloading on change
	@scripts/setup dev
	PROOFROOM_DIR=proofroom-demo $(bin)/uvicorn --factory app.main:create_app --reload --port 8080

docs: ## regenerate the reference pages, schemas and the OpenAPI file
	@scripts/setup dev
	$(bin)/python -m scripts.reference

bench: ## measure the main job over generated organisations (ARGS: numbers of sessions)
	@scripts/setup dev
	@$(bin)/python -m benchmarks $(ARGS)

bench-ledger: ## measure the ledger: append, proofs, tiles, fsck (ARGS: number of entries)
	@scripts/setup dev
	@$(bin)/python -m benchmarks.ledger $(ARGS)

lock: ## resolve the dependencies anew into the two lock files (needs uv)
	uv pip compile --universal --generate-hashes --no-header --no-annotate --no-emit-index-url -q pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --no-header --no-annotate --no-emit-index-url -q pyproject.toml --group dev -o requirements-dev.lock
