"""Kinds of damage: each takes (rng, content) and returns a broken content. Bytes, JSON values and texts have their own kinds."""

import copy
import json

TOKENS = (b"\t", b"\t\t", b"\n", b"\r", b" ", b"0", b"-1", b"1", b"99999999999999999999", b"9" * 5000, b"1e999", b"NaN", b"null",
          b"true",
          b"{", b"}", b"[", b"]", b'"', b"\\", b"\\ud800", b"?", b"|", b"\x00", b"\x1b[31m", b"\xff", b"\xc3\xa9",
          "\u2028".encode(),
          "\u202e".encode(), "\u0663".encode(), b"__import__('os')", b"../../outside", b"%s%n", b"[" * 3000)
VALUES = (None, True, False, 0, 1, -1, 2, 3, 2 ** 31, 2 ** 63, 10 ** 30, 0.5, -0.5, 1e308, float("nan"), float("inf"), "", "x",
          "ntm",
          "a" * 3000, "../../outside", "/etc/hosts", "\x00", "\x1b[31m", "line\nbreak", "\u00e9", "\ud800", "0", "true", [], [[]],
          [1, 2],
          ["x"], {}, {"a": 1}, {"../x": None})


def nothing(rng, content):
    """No damage: good input is to be accepted, or refusing would prove nothing."""
    return content


# ---- bytes ---------------------------------------------------------------------------------------------------------------

def truncated(rng, data):
    return data[:_at(rng, data)]


def bits_flipped(rng, data):
    data = bytearray(data)
    for _ in range(int(rng.integers(1, 9)) if data else 0):
        data[_at(rng, data)] ^= 1 << int(rng.integers(8))
    return bytes(data)


def bytes_deleted(rng, data):
    first = _at(rng, data)
    return data[:first] + data[first + int(rng.integers(1, 64)):]


def bytes_repeated(rng, data):
    first = _at(rng, data)
    return data[:first] + data[first:first + int(rng.integers(1, 64))] * int(rng.integers(2, 5)) + data[first:]


def zeros_written(rng, data):
    first, n = _at(rng, data), int(rng.integers(1, 600))
    return data[:first] + bytes(len(data[first:first + n])) + data[first + n:]


def token_put_in(rng, data):
    first = _at(rng, data)
    return data[:first] + _pick(rng, TOKENS) + data[first + int(rng.integers(0, 3)):]


def lines_shuffled(rng, data):
    lines = data.split(b"\n")
    first = int(rng.integers(len(lines)))
    part = lines[first:first + 6]
    rng.shuffle(part)
    return b"\n".join(lines[:first] + part + lines[first + 6:])


def crlf(rng, data):
    return data.replace(b"\n", b"\r\n")


def cr(rng, data):
    return data.replace(b"\n", b"\r")


def some_crlf(rng, data):
    return b"".join(line + (b"\r\n" if rng.random() < 0.3 else b"\n") for line in data.split(b"\n"))


def bom(rng, data):
    return b"\xef\xbb\xbf" + data


def utf16(rng, data):
    return data.decode("utf-8", "replace").encode(_pick(rng, ("utf-16", "utf-16-le", "utf-32", "utf-7")))


def latin1(rng, data):
    first = _at(rng, data)
    return data[:first] + "M\u00fcller caf\u00e9 \u00bfd\u00f3nde?".encode("latin-1") + data[first:]


def noise(rng, data):
    return rng.bytes(int(rng.integers(0, 400)))


def huge_line(rng, data):
    first, piece = _at(rng, data), _pick(rng, (b"a", b"1", b" ", b"\t", b"[", b'{"a":', b"\xc3\xa9"))
    return data[:first] + piece * int(rng.integers(20_000, 300_000)) + data[first:]


def empty(rng, data):
    return _pick(rng, (b"", b"\n", b"\r\n\r\n", b" ", b"\xef\xbb\xbf", b"{}", b"[]", b"null", b"\x00"))


NONE = "no damage"
BYTES = {NONE: nothing, "truncated": truncated, "bits flipped": bits_flipped, "bytes deleted": bytes_deleted,
         "bytes repeated": bytes_repeated,
         "zeros written": zeros_written, "token put in": token_put_in, "noise": noise, "empty": empty}
TEXT = BYTES | {"lines shuffled": lines_shuffled, "CRLF": crlf, "CR": cr, "some CRLF": some_crlf, "BOM": bom,
                "UTF-16, -32, -7": utf16,
                "Latin-1": latin1, "huge line": huge_line}


# ---- JSON ----------------------------------------------------------------------------------------------------------------

def value_changed(rng, value):
    """One place of a JSON value, anywhere in it, holds something else."""
    return _somewhere(rng, value, lambda place, key: place.__setitem__(key, copy.deepcopy(_pick(rng, VALUES))))


def key_lost(rng, value):
    return _somewhere(rng, value, lambda place, key: place.pop(key))


def key_renamed(rng, value):
    """A key of an object gets another name; an entry of a list comes twice."""
    def change(place, key):
        if isinstance(place, list):
            place.append(place[key])
        else:
            place[_pick(rng, ("", "x", f"{key} ", "__class__", "self", "form"))] = place.pop(key)
    return _somewhere(rng, value, change)


def several_changed(rng, value):
    for _ in range(int(rng.integers(2, 6))):
        value = _pick(rng, (value_changed, key_lost, key_renamed))(rng, value)
    return value


def wrapped(rng, value):
    return _pick(rng, ([value], {"content": value}, json.dumps(value), [value, value], None, 3))


JSON = {NONE: nothing, "value changed": value_changed, "key lost": key_lost, "key renamed": key_renamed,
        "several changed": several_changed,
        "wrapped": wrapped}


def json_bytes(rng, value):
    """A JSON value as a file: sometimes with NaN, sometimes with letters as they are."""
    return json.dumps(value, ensure_ascii=rng.random() < 0.8).encode("utf-8", "surrogatepass")


def _places(value):
    """Every (container, key) in a JSON value."""
    found, waiting = [], [value]
    while waiting:
        place = waiting.pop()
        keys = list(place) if isinstance(place, dict) else range(len(place)) if isinstance(place, list) else ()
        found += [(place, key) for key in keys]
        waiting += [place[key] for key in keys]
    return found


def _somewhere(rng, value, change):
    value = copy.deepcopy(value)
    places = _places(value)
    if places:
        change(*places[int(rng.integers(len(places)))])
    return value


def _at(rng, data):
    return int(rng.integers(len(data))) if len(data) else 0


def _pick(rng, choices):
    return choices[int(rng.integers(len(choices)))]


pick = _pick
