# The two commands of the README are `make run` and `make test`. Both make .venv first if it is not there.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test gradcheck mutation faults fuzz experiments benchmarks notebooks book book-check lint soak wheel oldest newest bare clean

run: .venv/ready
	$(BIN)/python -m numpymem duel --quick

test: .venv/ready
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

gradcheck: .venv/ready
	$(BIN)/python -m gradcheck

# Break every backward, every wiring and every kernel, and count what is caught: gradcheck/results/mutation.json. Some ten minutes.
mutation: .venv/ready
	$(BIN)/python -m gradcheck.mutation score --save

# kill -9 some two hundred times, full disks, read-only folders, two processes at once: tests/results/faults.json. Some ten minutes,
# on Linux; full and read-only disks need root.
faults: .venv/ready
	$(BIN)/python -m tests.faults --save

# Thousands of broken and hostile inputs for everything that is read: tests/results/fuzz.json. Some minutes.
fuzz: .venv/ready
	$(BIN)/python tests/fuzz --save

# The committed results in numpymem/experiments/results: hours on two cores. Stop it when you like: it goes on where it stood.
SWEEPS := ntm_copy ntm_copy_tape ntm_recall ntm_recall_neutral ntm_repeat_copy ntm_ngrams ntm_sort babi_1k babi_1k_formula babi_1k_variants babi_1k_joint babi_10k \
          dnc_copy dnc_series dnc_recall dnc_repeat_copy dnc_traversal dnc_graphs dnc_babi dmn_babi_1k dmn_babi_10k \
          mt_memory mt_facts mt_wikisql mt_wikisql_parts mt_query duel_paths duel_copy duel_update duel_facts \
          sec3_addressing sec3_parameters sec3_training sec3_training_recall

experiments: .venv/ready
	for name in $(SWEEPS); do $(BIN)/python -m numpymem sweep $$name --resume --save || exit 1; done
	$(BIN)/python -m numpymem.experiments.claims.section3 measure access time supports --save
	$(BIN)/python -m numpymem duel --quick --run runs/duel-results
	cp runs/duel-results/ntm_memory.png numpymem/experiments/results/
	$(BIN)/python -m numpymem duel --markdown README.md

# The committed results in benchmarks/results: some ten minutes on two cores with nothing else to do. jax and torch are optional.
benchmarks: .venv/ready
	$(BIN)/python -m benchmarks --save
	$(BIN)/python -m benchmarks.profile_step --save
	$(BIN)/python -m benchmarks.growth --save
	$(BIN)/python -m benchmarks.startup --save
	$(BIN)/python -m benchmarks.parallel --save

# A million training sequences, watched: benchmarks/results/soak.json. Some minutes of one core; it goes on where it stood.
soak: .venv/ready
	$(BIN)/python -m benchmarks.soak --save

# Elsewhere: the wheel in an empty environment; the tests with the oldest and newest packages, and without numba. tests/machines.json
wheel oldest newest bare: .venv/ready
	$(BIN)/python tests/machines.py $@ --save

# The chapters, executed from a clean kernel: notebooks/*.py are the source, the notebooks beside them the result.
notebooks: .venv/ready
	$(BIN)/python notebooks/build.py

# The chapters as a site of plain HTML files, with a search: book/index.html. It needs no network and runs no chapter.
book: .venv/ready
	$(BIN)/python notebooks/book.py

# Builds that site somewhere else, follows its links and asks its search, in a browser where there is one.
book-check: .venv/ready
	$(BIN)/python -m pytest notebooks/test_book.py

lint: .venv/ready
	$(BIN)/python -m pip install -q ruff
	$(BIN)/python -m ruff check .

.venv/ready: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	touch .venv/ready

clean:
	rm -rf .venv runs book
