"""Every command with wrong arguments: exit 2 and one line that names the argument, what was expected and what was received."""

import importlib
import importlib.util
import pathlib
import shlex

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent

WRONG = {
    "numpymem.cli": """
        train                                                   MODEL, TASK
        train ntm                                               TASK
        train foo copy                                          MODEL: expected one of ntm,|received 'foo'
        train ntm foo                                           TASK: expected one of copy,|received 'foo'
        train ntm sort --controller x                           --controller|'x'|lstm
        train ntm copy --seed -1                                --seed|at least 0|'-1'
        train ntm copy --seed 1.5                               --seed|whole number|'1.5'
        train ntm copy --sequences 0                            --sequences|at least 1|'0'
        train ntm copy --sequences many                         --sequences|at least 1|'many'
        train ntm copy --seconds nan                            --seconds|above 0|'nan'
        train ntm copy --seconds inf                            --seconds|above 0|'inf'
        train ntm copy --seconds 1 --sequences 1                --sequences|not allowed|--seconds
        train ntm copy --batch 0                                --batch|at least 1|'0'
        train ntm copy --checkpoint-every 0                     --checkpoint-every|at least 1|'0'
        train memn2n copy --checkpoint-every 2                  checkpoint_every|expected
        train ntm copy --run                                    --run|expected one argument
        train ntm copy --set                                    --set|expected one argument
        train ntm copy --set x                                  --set: expected NAME=VALUE, received 'x'
        train ntm copy --set N=10000000000000                   N: expected a whole number from|10000000000000
        train ntm copy --set lr=[1]                             --set lr: expected a value like|[1]
        train ntm copy --set form=bits                          form|'form'
        train ntm copy --resume --run nowhere                   nowhere: expected a run folder
        train ntm copy --run a_file                             a_file
        train ntm copy --run a_file/below                       a_file
        train ntm copy extra                                    unrecognized arguments: extra
        train memn2n sort                                       MODEL: expected one of|received memn2n
        eval                                                    RUN
        eval nowhere                                            nowhere: expected a run folder
        eval a_file                                             a_file: expected a run folder
        eval damaged                                            config.json: expected JSON
        eval nowhere --length 0                                 --length|at least 1|'0'
        eval nowhere --length                                   --length|at least one argument
        eval nowhere --count x                                  --count|at least 1|'x'
        duel C99                                                CLAIM: expected some of C1,|'C99'
        duel --rows foo                                         --rows: expected with --quick
        duel --quick --rows foo                                 --rows: expected some of paths,|'foo'
        duel --quick --models foo                               foo
        duel --quick --seeds 0                                  --seeds|at least 1|'0'
        duel --quick --full                                     --full|not allowed|--quick
        duel --html no/such/folder/page.html                    --html|a file in a folder that is there|page.html
        duel --markdown no/such/file.md                         file.md
        duel --quick --run a_file                               a_file
        sweep nowhere                                           SPEC: expected one of|'nowhere'
        sweep a_file                                            a_file: expected JSON
        sweep ntm_copy --jobs 0                                 --jobs|at least 1|'0'
        sweep ntm_copy --jobs 1 --dask x                        --dask|not allowed|--jobs
        sweep ntm_copy --dask x                                 --dask: expected the address|'x'
        sweep mine.json --save                                  mine.json: spec: expected an entry|none
        sweep ntm_copy --run a_file                             a_file: expected a new folder
        report nowhere                                          NAME: expected one of|'nowhere'
        report a_file                                           a_file: expected JSON
        report mine.json                                        mine.json: the file: name: expected a text
        report ntm_sort --out no/such/folder/x.png              --out|a file in a folder that is there|x.png
        report ntm_sort --out x.nonsense                        --out|ends in .png, .svg, .pdf|x.nonsense
        ship nowhere ntm_copy                                   nowhere: expected a run folder
        ship nowhere ../x                                       NAME: expected small letters|'../x'
        ship nowhere                                            NAME
        explain                                                 ID
        explain NTM-99                                          ID: expected one of|'NTM-99'
        list all                                                unrecognized arguments: all
        doctor x                                                unrecognized arguments: x
        bench nonsense                                          NAME: expected one of|'nonsense'
        nonsense                                                VERB|'nonsense'
        --nonsense                                              VERB""",
    "gradcheck.__main__": """
        no-such                                                 'no-such'|known: |NTM-9
        --seed -1                                               --seed|expected a whole number from 0 on|'-1'
        --seed x                                                --seed|'x'
        --sample x                                              --sample|expected a whole number from 0 on|'x'
        --html                                                  --html|expected one argument
        NTM-9 --html no/such/folder/page.html                   --html|a file in a folder that is there|page.html
        --nonsense                                              --nonsense""",
    "gradcheck.museum.__main__": """
        no-such                                                 'no-such'
        --seeds 0                                               --seeds|expected a whole number from 1 on|'0'
        flat-shift --html no/such/folder/page.html              --html|a file in a folder that is there|page.html
        --nonsense                                              --nonsense""",
    "gradcheck.mutation.__main__": """
                                                                WHAT
        nonsense                                                WHAT|'nonsense'|score
        hunts --seeds 5                                         --seeds|expected A:B with A < B|'5'
        hunts --seeds 5:5                                       --seeds|expected A:B with A < B|'5:5'
        hunts --seeds a:b                                       --seeds|expected A:B with A < B|'a:b'
        hunts --jobs 0                                          --jobs|at least 1|'0'""",
    "gradcheck.kernels.bounds": """
        --nonsense                                              --nonsense""",
    "benchmarks.__main__": """
        nonsense                                                NAME: expected one of|'nonsense'
        --vs nonsense                                           --vs|'nonsense'|jax
        --batch 0                                               --batch|at least 1|'0'
        --repeats x                                             --repeats|at least 1|'x'
        --nonsense                                              --nonsense""",
    "benchmarks.growth": """
        nonsense                                                MODEL|'nonsense'
        --checkpoint-every 0                                    --checkpoint-every|at least 1|'0'""",
    "benchmarks.startup": """
        --repeats 0                                             --repeats|at least 1|'0'""",
    "benchmarks.parallel": """
        --nonsense                                              --nonsense""",
    "benchmarks.profile_step": """
        --batch 0                                               --batch|at least 1|'0'""",
    "benchmarks.other_checkers": """
        --seeds 5                                               --seeds|expected A:B with A < B|'5'
        --jobs 0                                                --jobs|at least 1|'0'""",
    "benchmarks.sparse_links": """
        --slots 1                                               --slots|at least 2|'1'
        --links x                                               --links|at least 1|'x'
        --repeats 0                                             --repeats|at least 1|'0'""",
    "numpymem.experiments.claims.section3_measure": """
                                                                NAME
        measure nonsense                                        NAME|'nonsense'|access
        look access                                             verb|'look'|measure""",
    "numpymem.experiments.babi_variants": """
        nonsense                                                NAME|'nonsense'|hops
        --size 5k                                               --size|'5k'|10k""",
    "numpymem.tasks.wikisql.floors": """
        --source x                                              --source|'x'|generated
        --epochs 0                                              --epochs|at least 1|'0'
        --seed -1                                               --seed|at least 0|'-1'""",
    "notebooks/book.py": """
        --nonsense                                              --nonsense
        --folder                                                --folder|expected one argument""",
    "notebooks/build.py": """
        99                                                      NAME: expected the start of one of 00_start_here|received 99
        --check 99                                              NAME: expected the start of one of|received 99
        --nonsense                                              --nonsense""",
}
COLUMN = 64                                       # where the words that the line must hold begin


def cases():
    """(module, arguments, words) of every line above."""
    for module, lines in WRONG.items():
        for line in lines.splitlines()[1:]:
            yield module, line[:COLUMN].strip(), line[COLUMN:].strip().split("|")


def main_of(module):
    if not module.endswith(".py"):
        return importlib.import_module(module).main
    loading = importlib.util.spec_from_file_location("build", ROOT / module)
    loaded = importlib.util.module_from_spec(loading)
    loading.loader.exec_module(loaded)
    return loaded.main


@pytest.mark.parametrize("module, arguments, words", cases(), ids=lambda value: value if isinstance(value, str) else "")
def test_wrong_arguments_are_one_line_and_exit_2(module, arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NUMPYMEM_JIT", "0")
    (tmp_path / "a_file").write_text("not JSON")
    (tmp_path / "mine.json").write_text("{}")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged/config.json").write_text("{")
    try:
        code = main_of(module)(shlex.split(arguments))
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr().err
    assert code == 2, said
    [line] = said.strip().splitlines()
    assert all(word in line for word in words), line
    assert line.isprintable() and len(line) < 1500
    assert {path.name for path in tmp_path.iterdir()} == {"a_file", "mine.json", "damaged"}


def test_every_command_of_the_command_line_is_here():
    from numpymem.cli import build_parser
    [verbs] = [action for action in build_parser()._actions if action.dest == "verb"]
    tried = {arguments.split()[0] for module, arguments, _ in cases() if module == "numpymem.cli"}
    assert set(verbs.choices) <= tried
    commands = {f"{path.parent.relative_to(ROOT).as_posix().replace('/', '.')}.__main__" for package in ("gradcheck", "benchmarks")
                for path in (ROOT / package).rglob("__main__.py")}
    assert commands <= set(WRONG)
