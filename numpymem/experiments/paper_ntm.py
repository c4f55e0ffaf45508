"""What Graves et al. 2014 and the best public reproduction report, to be printed and drawn beside our results.

The paper prints no numbers under its curves: CURVES and ITEMS were read off its figures (digitised) and are approximate. SAYS is
its text. The reproduction, mgupta8143/neural-turing-machines (2026), trained one run each of 500,000 sequences in batches of 1.
"""

DIGITISED = "Graves et al. 2014, read off its figures: approximate"
PUBLIC = "mgupta8143/neural-turing-machines, 2026, one run each"

# Bits a sequence after so many thousand sequences. The paper's copy figure ends at 10 bits: what is higher is not given.
THOUSANDS = (0, 50, 100, 200, 300, 400, 500, 1000)
_READ_OFF = {
    "copy": {"LSTM": (None, None, 4.8, 2.1, 1.2, 0.8, 0.6, 0.5), "NTM-LSTM": (None, None, 0.1, 0, 0, 0, 0, 0),
             "NTM-feedforward": (None, None, 0.1, 0, 0, 0, 0, 0)},
    "repeat-copy": {"LSTM": (185, 105, 20, 5, 5, 5, 5, None), "NTM-LSTM": (180, 5, 5, 5, 5, 5, 5, None),
                    "NTM-feedforward": (175, 45, 5, 5, 5, 5, 5, None)},
    "recall": {"LSTM": (18.5, 14, 10.5, 8, 5, 3, 2, 0.5), "NTM-LSTM": (18.5, 11, 0.5, 0, 0, 0, 0, 0),
               "NTM-feedforward": (18.5, 0, 0, 0, 0, 0, 0, 0)},
    "ngrams": {"LSTM": (160, None, 137, 136, 136, 136, 136, 136), "NTM-LSTM": (160, None, 134, 133.5, 133.5, 133.5, 133.5, 133.5),
               "NTM-feedforward": (160, None, 134, 134, 134, 134, 134, 134)},
    "sort": {"LSTM": (125, None, None, 90, None, 70, None, 58), "NTM-LSTM": (125, None, None, 35, None, 25, None, 18),
             "NTM-feedforward": (125, None, None, 40, None, 30, None, 20)},
}
CURVES = {task: {label: [(1000 * at, bits) for at, bits in zip(THOUSANDS, values) if bits is not None]
                 for label, values in by_label.items()} for task, by_label in _READ_OFF.items()}

ITEMS = {"recall": {"bits": {                     # bits at so many items, digitised
    "LSTM": {6: 2, 10: 36.5, 15: 40, 20: 38.5}, "NTM-LSTM": {6: 0, 10: 1.8, 15: 4.8, 20: 7.0},
    "NTM-feedforward": {6: 0, 10: 0, 15: 1.5, 20: 8.0}}}}

PUBLIC_LEARNED = {                                # sequences until below 0.05 bits, as that project prints them
    "copy": {"NTM-feedforward": "5,000", "NTM-LSTM": "10,000", "LSTM": "never (1.03 bits after 500,000)"},
    "recall": {"NTM-feedforward": "37,000 to 39,000", "NTM-LSTM": "22,000 and 40,000 (two runs)", "LSTM": "never (6.6 bits)"}}
PUBLIC_ITEMS = {
    "copy": {"wrong_percent": {
        "NTM-LSTM": dict.fromkeys((10, 20, 30, 50, 80, 120), 0), "NTM-feedforward": dict.fromkeys((10, 20, 30, 50, 80, 120), 0),
        "LSTM": {10: 0, 20: 3.1, 30: 22.9, 50: 40.0, 80: 46.4, 120: 48.0}}},
    "recall": {"bits": {
        "NTM-feedforward": {6: 0, 10: 0, 15: 0.10, 20: 2.33}, "NTM-LSTM": {6: 0, 10: 0, 15: 0, 20: 0.97},
        "LSTM": {6: 15, 10: 18.4, 15: 19.4, 20: 20.3}}}}

SAYS = {
    "copy": "NTM copies lengths 10 to 50 almost perfectly; at 120 local errors and one vector doubled, which shifts the rest",
    "repeat-copy": "NTM learns much faster than LSTM, both solve it; twice the length is fine, more than ten repeats go on but "
                   "the end marker is wrong",
    "recall": "NTM near zero within about 30,000 sequences, LSTM not after a million; NTM-feedforward nearly perfect to 12 items, "
              "below 1 bit at 15",
}
OPTIMUM = {"ngrams": (132.98, "optimal estimator, our computation (20,000 sequences, standard error 0.25)")}
