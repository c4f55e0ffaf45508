"""Section 3 of the article: seven differences between NTM and MemN2N, C1 to C7.

The rules. A claim that says one thing of the NTM and another of MemN2N is tried in two halves (C1 to C4): "agrees" if both hold,
"depends" if one does, or a part of one, "differs" if none. A claim that puts one model before the other is tried on every task
(C5, C7), or with and without clipping (C6): "agrees" if the article's order holds everywhere, "differs" if nowhere, else
"depends". A difference counts if its 95 % interval over the seeds lies beyond zero and it is at least CLOSE points. What each half
asks stands with its judge.
"""

import sys

from numpymem.experiments.claims import section3_compared as compared
from numpymem.experiments.claims import section3_measure
from numpymem.experiments.claims.claim import Claim, Verdict
from numpymem.experiments.claims.section3_told import (better, by_halves, column, figure_of, least, measured_file, mean, report,
                                                       spread, sweep_file)


def access():
    """C1. NTM: being told a sentence changes its memory by more than 1 %, where it chooses to (write weights peak above a half).
    MemN2N: whatever it is asked, its memories stay as they are, to the last bit."""
    found = measured_file("access")
    ntm, asked = found["NTM"], found["MemN2N"]["asked"]
    explicit = least(ntm["told"]) > 1 and least(ntm["write_peak"]) > 0.5
    ours = (f"NTM: a sentence changes {spread(ntm['told'])} % of its memory, a question {spread(ntm['asked'])} %, a step of "
            f"answering {spread(ntm['answering'])} %; largest write weight {mean(ntm['write_peak']):.2f} (n = {len(ntm['told'])})\n"
            f"MemN2N: another question changes its memories by {asked:g}")
    because = ("An NTM writes where its weights say, and goes on writing while it is asked and answers; a MemN2N has only "
               "attention, over memories that a question cannot change.")
    short = f"a sentence changes {mean(ntm['told']):.0f} % of an NTM's memory; a question {asked:g} of a MemN2N's"
    return by_halves(explicit, asked == 0, ours, because, (section3_measure.COMMAND + " access",), figure_of("access", found),
                     short)


def addressing():
    """C2. NTM: it loses something without looking up by content on segment-recall, and something without going by location on copy.
    MemN2N, by content alone: the ages of its sentences, which are no content, make no difference on any task."""
    found = sweep_file("sec3_addressing")
    at = {"copy": "wrong_percent/10", "segment-recall": "wrong_percent/5"}
    errors = {(task, kind): column(found, f"NTM {name}{kind}", task, at[task])
              for task, name in (("copy", "copy"), ("segment-recall", "recall"))
              for kind in ("", ", content only", ", location only")}
    looks_up = better(errors["segment-recall", ""], errors["segment-recall", ", location only"])
    goes_on = better(errors["copy", ""], errors["copy", ", content only"])
    lines = [f"NTM on {task}, % wrong: both {spread(errors[task, ''])}, content only {spread(errors[task, ', content only'])}, "
             f"location only {spread(errors[task, ', location only'])} (n = {len(errors[task, ''])})" for task in at]
    timed = []
    for name, task, place in (("rewritten", "rewritten-keys", "wrong_percent/1"), ("bAbI", "babi1", "test_error_percent")):
        with_time, without = (column(found, f"MemN2N {name}{kind}", task, place) for kind in ("", ", no time"))
        timed.append(better(with_time, without))
        lines.append(f"MemN2N on {task}, % wrong: with its temporal encoding {spread(with_time)}, without {spread(without)} "
                     f"(n = {len(with_time)})")
    sure = {True: "surely", False: "not surely"}
    because = (f"By content alone an NTM is {sure[goes_on]} worse at copy, by location alone {sure[looks_up]} at segment-recall. "
               + ("Of MemN2N the article leaves something out: it gets position, too, through its temporal encoding, and is lost "
                  f"without it on {sum(timed)} of {len(timed)} tasks." if any(timed) else "MemN2N does as well without ages."))
    short = ", ".join(f"{name}: {task} {mean(errors[task, ', ' + name]):.0f} % wrong (both: {mean(errors[task, '']):.0f})"
                      for name, task in (("content only", "copy"), ("location only", "segment-recall")))
    short += f"; MemN2N worse without ages on {sum(timed)} of {len(timed)} tasks"
    return by_halves(looks_up and goes_on, not any(timed), "\n".join(lines), because, report("sec3_addressing"),
                     figure_of("addressing", found), short, partly=looks_up or goes_on)


def update():
    """C3. NTM, in place: without erasing it loses something where keys are rewritten most. MemN2N, appended and read-only: without
    the ages of its sentences it cannot tell the latest value from those before, and loses something there."""
    found = sweep_file("duel_update")
    most = max(int(place.partition("/")[2]) for run in found["runs"] if run["task"] == "rewritten-keys"
               for place in compared.places(run, "wrong_percent"))
    errors = {label: {n: column(found, label, "rewritten-keys", f"wrong_percent/{n}") for n in (0, most)} for label in
              ("NTM", "NTM no erase", "MemN2N", "MemN2N no time")}
    learned = {label: sum(value <= compared.GOOD for value in each[most].values()) for label, each in errors.items()}
    lines = [f"{label}, % wrong after 0 and {most} rewrites: {spread(each[0])}, {spread(each[most])}; of {len(each[most])} seeds "
             f"{learned[label]} have learned it" for label, each in errors.items()]
    in_place, appended = (better(errors[model][most], errors[f"{model} no {what}"][most])
                          for model, what in (("NTM", "erase"), ("MemN2N", "time")))
    best, worse = (least(errors[label][most]) for label in ("NTM", "NTM no erase"))
    because = (f"Without erasing NTMs {'lose' if in_place else 'do not surely lose'} where keys are rewritten: with erasing "
               f"{learned['NTM']} of {len(errors['NTM'][most])} have learned it (the best: {best:.1f} % wrong), without it "
               f"{learned['NTM no erase']} of {len(errors['NTM no erase'][most])} (the best: {worse:.1f} %). A MemN2N keeps "
               "every version as a sentence of its own, and "
               f"{'finds the latest by its age' if appended else 'does without its age'}.")
    short = f"% wrong after {most} rewrites: " + ", ".join(f"{label} {mean(each[most]):.0f}" for label, each in errors.items())
    return by_halves(in_place, appended, "\n".join(lines), because, report("duel_update"), figure_of("update", found), short)


def time():
    """C4. NTM: setting its controller's state back before the question costs something in every case measured, also where the
    controller has no state. MemN2N, stateless: what it has read before changes nothing, to the last bit, and without ages no logit
    moves by more than 1e-9 when the sentences come in another order."""
    found = measured_file("time")
    reset, order = found["reset"], found["order"]
    by_case = {case: better(dict(enumerate(errors["nothing"])), dict(enumerate(errors["h, c"]))) if "h, c" in errors else False
               for case, errors in reset.items()}
    timeless = max(max(each["MemN2N, no time"]["largest_logit_change"]) for each in order.values())
    stateless = found["memn2n_asked_twice"] == 0 and timeless < 1e-9
    lines = [f"NTM on {case}, % wrong: {spread(errors['nothing'])}; set back before the question: "
             + ", ".join(f"{part} {spread(values)}" for part, values in errors.items() if part != "nothing")
             for case, errors in reset.items()]
    lines += [f"{task} told in another order, % wrong before and after: "
              + "; ".join(f"{label} {spread(each['wrong_percent'])}, {spread(each['moved_wrong_percent'])}"
                          for label, each in by_model.items()) for task, by_model in order.items()]
    free = min(((mean(errors["nothing"]), case) for case, errors in reset.items() if "h, c" not in errors), default=None)
    because = f"An NTM with an LSTM {'cannot do' if by_case['copy, LSTM'] else 'does'} without its controller's state. "
    if free:
        because += (f"A feedforward controller has none, and is wrong {free[0]:.1f} % of the time ({free[1]}): what it was told is "
                    "in its memory alone. ")
    because += (f"MemN2N {'keeps nothing' if stateless else 'does keep something'}; without ages another order moves its logits by "
                f"{timeless:.0e} at most.")
    lstm = reset["copy, LSTM"]
    short = (f"LSTM's state set back: {mean(lstm['nothing']):.0f} -> {mean(lstm['h, c']):.0f} % wrong bits; MemN2N without ages: "
             f"logits move by {timeless:.0e}")
    return by_halves(all(by_case.values()), stateless, "\n".join(lines) + f"\n(n = {len(found['seeds'])} seeds)", because,
                     (section3_measure.COMMAND + " time",), figure_of("time", found), short, partly=any(by_case.values()))


TITLES = {"access": (access, "an NTM reads and writes explicitly, a MemN2N attends, and writes nothing"),
          "addressing": (addressing, "an NTM addresses by content and location, a MemN2N by content alone"),
          "update": (update, "an NTM rewrites its memory in place, a MemN2N's is read only: what is new is appended"),
          "time": (time, "an NTM depends on the state of its controller, a MemN2N is stateless and driven by its input"),
          "parameters": (compared.parameters, "an NTM is inefficient in parameters (its heads), a MemN2N efficient"),
          "training": (compared.training, "an NTM is hard to train (exploding gradients), a MemN2N easy"),
          "interpretability": (compared.interpretability, "an NTM's reads and writes can be traced, a MemN2N is a black box")}
CLAIMS = tuple(Claim(f"C{number}", "3", title, says, judge) for number, (title, (judge, says)) in enumerate(TITLES.items(), 1))
__all__ = ["CLAIMS", "Verdict"]

if __name__ == "__main__":
    sys.exit(section3_measure.main())
