"""How much arithmetic a training step is: FLOP of each matrix product with its shape, FLOP of the passes over the memory, and
evaluations of exp, log, tanh and the like, as functions of the sizes.

Counted is what forward, loss and backward cannot do without: every product once forward and once for each gradient that is asked
for; nothing is computed twice. A multiplication and an addition are one FLOP each. Element by element work on vectors (gates,
weightings, parameters of heads) is not counted but for its exp, log and tanh: sigmoid and tanh are one evaluation, softplus two.
"""

from typing import NamedTuple

from benchmarks.gru_scan import GRUScan
from benchmarks.link_model import Links
from numpymem.dmn import DMN
from numpymem.dnc import DNC
from numpymem.lstm import LSTM
from numpymem.memn2n import MemN2N
from numpymem.memory_transformer import MemoryTransformer
from numpymem.memory_transformer.config import inner_width
from numpymem.memory_transformer.memory import read_sizes, write_sizes
from numpymem.ntm import NTM


class Product(NamedTuple):
    """One matrix product, done `times` times. The forms are those of a linear layer y = x A and its backward."""
    form: str                   # "x A", "dy A^T" or "x^T dy"
    m: int                      # (m, k) times (k, n)
    k: int
    n: int
    times: int = 1

    @property
    def flop(self):
        return 2 * self.m * self.k * self.n * self.times

    @property
    def shape(self):
        """What its rate depends on."""
        return self.form, self.m, self.k, self.n


class Count(NamedTuple):
    """Of one training step of a whole batch."""
    products: list
    passes: int                 # FLOP of passes over the memory
    evaluations: int            # of exp, log, tanh ...
    formula: dict               # for the report: "products", "passes", "evaluations" -> formula in the letters of the sizes

    @property
    def product_flop(self):
        return sum(product.flop for product in self.products)

    @property
    def flop(self):
        return self.product_flop + self.passes


def layer(rows, n_in, n_out, times=1, input_gradient=True):
    """A linear layer used `times` times on `rows` rows: forward, gradient of its input, and one product for all weights."""
    forward, back = Product("x A", rows, n_in, n_out, times), Product("dy A^T", rows, n_out, n_in, times)
    return [forward, *[back] * input_gradient, Product("x^T dy", n_in, rows * times, n_out)]


def count(work):
    """The Count of one step of a work."""
    return {NTM: of_ntm, DNC: of_dnc, Links: of_links, MemN2N: of_memn2n, LSTM: of_lstm, DMN: of_dmn,
            GRUScan: of_gru_scan, MemoryTransformer: of_memory_transformer}[type(work.model)](work)


def of_ntm(work):
    """B sequences of T steps, X inputs, Y outputs, C controller units, G gates (4 C or C), R read and Q write heads, H = R + Q,
    N slots of width W, S shifts, P head parameters, U = R W + C (lstm) or R W."""
    config, sizes = work.model.config, work.model.sizes
    T, B, X = work.batch.inputs.shape
    Y, C, N, W, S, R, Q, H, P = (config.n_outputs, config.controller_size, config.N, config.W, config.shifts, sizes.R, sizes.Q,
                                 sizes.H, sizes.raw)
    lstm = config.controller == "lstm"
    G, U = (4 * C, R * W + C) if lstm else (C, R * W)
    products = [*layer(T * B, X, G, input_gradient=False), *layer(B, U, G, T), *layer(B, C, P, T), *layer(T * B, C + R * W, Y)]
    # of each number of the memory. Forward: norm 2, similarity 2 H, read 2 R, erase 3 Q, add 2 Q. Backward: norm 2, similarity
    # 4 H (to key and memory), read 4 R, add 4 Q, erase 2 + 4 Q + Q (Q - 1)
    each = 6 + 6 * H + 6 * R + 13 * Q + Q * (Q - 1)
    evaluations = T * B * ((5 if lstm else 1) * C + H * (W + 5 + S) + 2 * Q * W + 3 * H * N + 3 * Y)
    return Count(products, T * B * N * W * each, evaluations, {
        "products": "TB (4 XG + 6 UG + 6 CP + 6 (C + RW) Y)", "passes": "TB NW (6 + 6H + 6R + 13Q + Q(Q-1))",
        "evaluations": f"TB ({'5C' if lstm else 'C'} + H(W + 5 + S) + 2QW + 3HN + 3Y)"})


def of_dnc(work):
    """B sequences of T steps, X inputs, Y outputs, C controller units, G gates (4 C or C), R read heads, N slots of width W, P
    numbers of the interface, U = R W + C (lstm) or R W."""
    config, sizes = work.model.config, work.model.sizes
    T, B, X = work.batch.inputs.shape
    Y, C, N, W, R, P = config.n_outputs, config.controller_size, config.N, config.W, sizes.R, sizes.raw
    lstm = config.controller == "lstm"
    G, U = (4 * C, R * W + C) if lstm else (C, R * W)
    products = [*layer(T * B, X, G, input_gradient=False), *layer(B, U, G, T), *layer(B, C, P, T), *layer(T * B, C + R * W, Y)]
    # of each number of the memory, as for the NTM with H = R + 1 heads and two norms (of the old and of the new memory)
    each = 31 + 12 * R
    evaluations = T * B * ((5 if lstm else 1) * C + W + 6 * R + 4 + (R + 1) * N + 3 * Y)
    return Count(products, T * B * (N * W * each + N * N * per_link(R)), evaluations, {
        "products": "TB (4 XG + 6 UG + 6 CP + 6 (C + RW) Y)", "passes": f"TB (NW (31 + 12R) + NN ({LINKS}))",
        "evaluations": f"TB ({'5C' if lstm else 'C'} + W + 6R + 4 + (R + 1) N + 3Y)"})


LINKS = "15 + 12R"


def per_link(R):
    """FLOP for each of the N N links. Forward: the update 5, back and forwards 2 R each; backward: of the update 10, of the weights
    along the links 4 R each."""
    return 15 + 12 * R


def of_links(work):
    """B sequences of T writes, R read heads, N slots."""
    (T, B, N), R = work.params["w_w"].shape, work.model.config.read_heads
    return Count([], T * B * N * N * per_link(R), T * B * 2 * R * N * 3, {
        "products": "0", "passes": f"TB NN ({LINKS})", "evaluations": "TB 6RN"})


def of_lstm(work):
    """B sequences of T steps, X inputs, Y outputs, L layers of C cells."""
    T, B, X = work.batch.inputs.shape
    C, L, Y = work.model.config.size, work.model.config.layers, work.model.config.n_outputs
    products = layer(T * B, C, Y)
    for number in range(L):
        products += layer(T * B, C if number else X, 4 * C, input_gradient=number > 0)
        products += layer(B, C, 4 * C, T)
    return Count(products, 0, T * B * (5 * C * L + 3 * Y), {
        "products": "TB (16 XC + 24 CC (2L - 1) + 6 CY)", "passes": "0", "evaluations": "TB (5CL + 3Y)"})


def of_memn2n(work):
    """B stories of, together, J words in I sentences, and V words in the questions; K hops over E tables of width D; Y answers."""
    config, inputs = work.model.config, work.batch.inputs
    B, J, I, V = (len(inputs.query), int((inputs.sentences != 0).sum()), int((inputs.sentences != 0).any(-1).sum()),
                  int((inputs.query != 0).sum()))
    K, E, D, Y = config.hops, len(work.model.tables), config.d, config.n_outputs
    # words: weight and add, and the same back; time: add, and the same back; a hop forward: scores 2, answer 2; backward: 8
    passes = D * (E * (4 * J + 2 * I) + 4 * V + 12 * K * I)
    return Count(layer(B, D, Y), passes, K * I + B * (2 * Y + 1), {
        "products": "6 BDY", "passes": "D (E (4J + 2I) + 4V + 12 KI)", "evaluations": "KI + B (2Y + 1)"})


def of_gru_scan(work):
    """B rows of T steps, C units."""
    (B, T), C = work.batch.inputs.shape, work.model.config.size
    return Count(layer(B, C, 3 * C, T), 0, T * B * 6 * C, {"products": "18 TB CC", "passes": "0", "evaluations": "6 TBC"})


def of_dmn(work):
    """B stories of, together, I sentences of J words, and V words in the questions; K passes, width D, Y answers. DMN+ only."""
    config, inputs = work.model.config, work.batch.inputs
    B, J, I, V = (len(inputs.query), int((inputs.sentences != 0).sum()), int((inputs.sentences != 0).any(-1).sum()),
                  int((inputs.query != 0).sum()))
    K, D, Y = config.passes, config.d, config.n_outputs
    products = [*layer(V, D, 3 * D), *layer(V, D, 3 * D), *2 * layer(I, D, 3 * D), *2 * layer(I, D, 3 * D), *layer(I, D, 2 * D)]
    products += K * [*layer(I, 4 * D, D), *layer(I, D, 1), *layer(I, D, 2 * D), *layer(B, 3 * D, D)] + layer(B, 2 * D, Y)
    # a word: weight and add, and the same back; a fact in a pass: interactions 6, and 12 back
    passes = D * (4 * J + 18 * K * I)
    return Count(products, passes, D * (3 * V + 6 * I + 3 * K * I) + K * I + B * (2 * Y + 1), {
        "products": "36 VDD + I (84 + 36 K) DD + 6 KID + 18 KBDD + 12 BDY", "passes": "D (4J + 18 KI)",
        "evaluations": "D (3V + 6I + 3KI) + KI + B (2Y + 1)"})


def of_memory_transformer(work):
    """B stories of, together, R words of segments in I items, and Z words in the questions; T places to answer; width D, F inside
    the feed-forward parts, N slots of W numbers, H read heads; memory "ntm" only. Of attention only its products with weights are
    counted: segments are short."""
    config, inputs = work.model.config, work.batch.inputs
    (B, T), words = inputs.prompt.shape, inputs.segments != 0
    R, I, Z = int(words.sum()), int(words.any(-1).sum()), int((inputs.question != 0).sum())
    D, F, Y, (N, W), H = config.d, inner_width(config), config.n_outputs, (config.N, config.W), config.read_heads
    products = []
    for rows in (R, Z):
        products += config.encoder_layers * [*4 * layer(rows, D, D), *layer(rows, D, F), *layer(rows, F, D)]
    products += layer(I, D, write_sizes(config).raw)
    products += config.decoder_layers * [*4 * layer(B * T, D, D), *2 * layer(B * T, D, D), *2 * layer(Z, D, D), *layer(B * T, D, D),
                                         *layer(B * T, D, read_sizes(config).raw), *layer(B * T, H * W, D), *layer(B * T, D, F),
                                         *layer(B * T, F, D)]
    products += layer(B * T, D, Y)
    # a write: look 2, fade and add 4, and twice that back; a read: look 2, sum 2, and twice that back
    passes = N * W * (18 * I + 12 * H * B * T * config.decoder_layers)
    return Count(products, passes, N * 3 * (I + H * B * T * config.decoder_layers) + B * T * Y, {
        "products": "6 (L_e (R + Z) + L_d BT) D (4D + 2F) + ...", "passes": "NW (18 I + 12 H BT L_d)",
        "evaluations": "3 N (I + H BT L_d) + BTY"})
