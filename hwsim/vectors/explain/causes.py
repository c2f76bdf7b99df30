"""Likely causes of a mismatch: a handful of words replayed under every suspected bug, ranked by how many they explain.

A cause must reproduce the first wrong word exactly. Wrong and right words are replayed alike, so that a rule that would
have spoiled what came out right ranks below one that explains both.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from hwsim.vectors.explain import late
from hwsim.vectors.explain.replay import Law, Source
from hwsim.vectors.explain.suspects import SUSPECTS, Suspect
from hwsim.vectors.explain.suspects_requant import REQUANT_SUSPECTS
from hwsim.vectors.explain.wrong import Wrong
from hwsim.vectors.read.trace import STEM, Trace, lane_values
from hwsim.vectors.read.vectorset import LayerFiles

Item = TypeVar("Item")
Accumulators = Callable[[int], np.ndarray | None]     # address -> the TM accumulators, where they are known
Sample = tuple[str, int, list[int | str]]     # kind, address, lanes that came

SAMPLES = 10              # words of each sort
MAX_BEATS = 40_000        # beats replayed per suspect
NAMED = 5
ALTERED = "the expected word is altered: the set's stimulus makes the word that came"


def name_causes(files: LayerFiles, trace: Trace, wrong: Sequence[Wrong]) -> list[dict[str, Any]]:
    """[{cause, explains, of}] of the first mismatch, best first; empty when no suspect reproduces it.

    Where the unchanged law makes the word that came, no suspect is asked: it is the expected word that is wrong.
    """
    first = wrong[0]
    if not first.wrong_word:
        return late.name_causes(files, trace)
    source, expected = Source(files), files.values("acc")
    sample = _sample(files, trace, wrong, max(1, min(SAMPLES, MAX_BEATS // max(map(len, source.tiles)))))
    seen, traced = _seen(files, trace), bool(trace.words["A"])
    lawful = _score(Law(source, seen), expected if first.kind == "O" and traced else None, sample)
    if lawful:
        return [{"cause": ALTERED, "explains": lawful, "of": len(sample)}]
    laws = [law for suspect in _suspects(first.kind, traced) if (law := suspect(source, seen)).applies()]
    scores = [(_score(law, expected if type(law) in REQUANT_SUSPECTS else None, sample), law.text) for law in laws]
    best = sorted(scores, key=lambda score: -score[0])[:NAMED]
    return [{"cause": text, "explains": score, "of": len(sample)} for score, text in best if score]


def _seen(files: LayerFiles, trace: Trace) -> Accumulators:
    """The accumulators that the trace shows; none where a bit is unknown."""
    entry = files.file("acc.hex")

    def seen(address: int) -> np.ndarray | None:
        text = trace.words["A"].get(address)
        values = None if text is None else lane_values(text, entry)
        return None if values is None or "X" in values else np.array(values)
    return seen


def _suspects(kind: str, traced: bool) -> tuple[type[Suspect], ...]:
    """The bugs that can spoil a word of this kind; an output's accumulators are known to be right where they are traced."""
    if not traced:
        return *SUSPECTS, *REQUANT_SUSPECTS
    return SUSPECTS if kind == "A" else REQUANT_SUSPECTS


def _sample(files: LayerFiles, trace: Trace, wrong: Sequence[Wrong], count: int) -> list[Sample]:
    """[(kind, address, lanes got)]: the first wrong word, then wrong and right ones of its kind, evenly spread."""
    kind = wrong[0].kind
    bad = [w.address for w in wrong if w.kind == kind and w.wrong_word]
    right = sorted(set(trace.words[kind]) - set(bad))
    addresses = [bad[0], *_spread(bad[1:], count - 1), *_spread(right, count)]
    entry = files.file(f"{STEM[kind]}.hex")
    return [(kind, address, lane_values(trace.words[kind][address], entry)) for address in addresses]


def _spread(items: list[Item], count: int) -> list[Item]:
    """At most `count` of the items, evenly spread."""
    return items if len(items) <= count else [items[i * len(items) // count] for i in range(count)]


def _score(law: Law, accumulators: np.ndarray | None, sample: Sequence[Sample]) -> int:
    """How many sampled words the law reproduces; 0 when the first is not among them.

    accumulators: those to start from, int64 (N,TM) by address; None: the law's own.
    """
    hits = 0
    for number, (kind, address, got) in enumerate(sample):
        pixel, cot = divmod(address, law.source.entry["cot"])
        law.unwritten = False
        acc = law.acc(pixel, cot) if accumulators is None else accumulators[address]
        word = acc if kind == "A" else law.out(acc, cot)
        same = law.unwritten if "X" in got else all(int(lane) == g for lane, g in zip(word, got))
        if number == 0 and not same:
            return 0
        hits += same
    return hits
