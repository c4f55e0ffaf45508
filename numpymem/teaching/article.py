"""The article that the chapters mirror, as tables: its sections, and the equations that each of them is about."""

import pathlib
from typing import NamedTuple

from IPython.display import Markdown

from numpymem import commands
from numpymem.equation import REGISTRY, find

NOTEBOOKS = pathlib.Path(__file__).parent.parent.parent / "notebooks"


class Section(NamedTuple):
    """A section of the article and what the chapter of the same number does with it."""
    number: str
    chinese: str
    english: str
    holds: str


SECTIONS = (
    Section("01", "核心架构对比", "Core architectures", "both models at work on one input each, side by side"),
    Section("02", "记忆操作机制深度解析", "Memory operations", "every step of a head and every hop, with numbers to check by hand"),
    Section("03", "关键差异维度对比", "Key differences", "seven claimed differences, each turned into a measurement"),
    Section("04", "任务性能对比实验", "Task performance", "four claimed comparisons, measured"),
    Section("05", "数学本质差异", "Mathematical essence", "every backward pass: derived, read in the code, checked"),
    Section("06", "工程实现对比", "Engineering", "the article's two cores as they should be written; from equation to fast loop"),
    Section("07", "发展演进与融合", "Evolution and fusion", "DNC, DMN, a Transformer with a memory"),
    Section("08", "结论", "Conclusion", "verdicts, and whether the two grow into one"),
)


def chapters():
    """The article's sections, with a link where the chapter is there -> Markdown."""
    rows = ["| § | 中文 | English | in the chapter | open |", "|---|---|---|---|---|"]
    for section in SECTIONS:
        found = sorted(NOTEBOOKS.glob(f"{section.number}_*.ipynb"))
        solved = [path for path in found if (NOTEBOOKS / "solutions" / path.name).exists()]
        links = [f"[chapter]({path.name})" for path in found] + [f"[solutions](solutions/{path.name})" for path in solved]
        rows.append(f"| {int(section.number)} | {section.chinese} | {section.english} | {section.holds} | {', '.join(links)} |")
    return Markdown("\n".join(rows))


def equations(*families):
    """Equations with their formulas and where they stand -> Markdown.

    families   starts of ids: "NTM-", "MemN2N-"; or whole ids. Default: all that is registered
    raises     ValueError for a start that no id has
    """
    commands.import_equations()
    rows = ["| id | formula | function | file |", "|---|---|---|---|"]
    for family in families or ("",):
        ids = [id for id in REGISTRY if id == family] or [id for id in REGISTRY if id.lower().startswith(family.lower())]
        if not ids:
            raise ValueError(f"families: expected starts of ids such as {', '.join(list(REGISTRY)[:3])}, received {family!r}")
        rows += [_row(find(id)) for id in ids]
    return Markdown("\n".join(rows))


def _row(item):
    latex = item.latex.replace("|", r"\vert ").replace(r"\\vert ", r"\Vert ")         # a bar would end the cell of the table
    return f"| {item.id} | ${latex}$ | `{item.name}` | `{item.address.rpartition(':')[0]}` |"
