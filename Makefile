# The two commands of the README are `make run` and `make test`. Both make .venv first if it is not there.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test gradcheck lint clean

run: .venv/ready
	$(BIN)/python -m numpymem duel --quick

test: .venv/ready
	$(BIN)/python -m pytest -n 2 --dist loadfile

gradcheck: .venv/ready
	$(BIN)/python -m gradcheck

lint: .venv/ready
	$(BIN)/python -m pip install -q ruff
	$(BIN)/python -m ruff check .

.venv/ready: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	touch .venv/ready

clean:
	rm -rf .venv runs
