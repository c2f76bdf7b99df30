"""Likely causes of a mismatch: a handful of words replayed under every suspected bug, ranked by how many they explain.

A cause must reproduce the first wrong word exactly. Wrong and right words are replayed alike, so that a rule that would
have spoiled what came out right ranks below one that explains both.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from hwsim.vectors.explain import late
from hwsim.vectors.explain.replay import Law, Source
from hwsim.vectors.explain.suspects import SUSPECTS, Suspect
from hwsim.vectors.explain.suspects_requant import REQUANT_SUSPECTS
from hwsim.vectors.read.trace import STEM, Trace, lane_values
from hwsim.vectors.read.vectorset import LayerFiles

if TYPE_CHECKING:
    from hwsim.vectors.explain.compare import Wrong

Item = TypeVar("Item")
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
    source = Source(files)
    sample = _sample(files, trace, wrong, max(1, min(SAMPLES, MAX_BEATS // max(map(len, source.tiles)))))
    expected = files.values("acc")

    def seen(address: int) -> np.ndarray | None:
        text = trace.words["A"].get(address)
        values = None if text is None else lane_values(text, files.file("acc.hex"))
        return None if values is None or "X" in values else np.array(values)

    def known(address: int) -> np.ndarray:
        return np.asarray(expected[address])

    lawful = _score(Law(source, seen), known if first.kind == "O" and trace.words["A"] else None, sample)
    if lawful:
        return [{"cause": ALTERED, "explains": lawful, "of": len(sample)}]
    suspects: tuple[type[Suspect], ...] = SUSPECTS if first.kind == "A" else REQUANT_SUSPECTS
    if not trace.words["A"]:
        suspects = *SUSPECTS, *REQUANT_SUSPECTS
    named = []
    for place, suspect in enumerate(suspects):
        law = suspect(source, seen)
        if law.applies():
            accumulators = known if suspect in REQUANT_SUSPECTS else None
            score = _score(law, accumulators, sample)
            if score:
                named.append((-score, place, {"cause": suspect.text, "explains": score, "of": len(sample)}))
    return [cause for _, _, cause in sorted(named)][:NAMED]


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


def _score(law: Law, accumulators: Callable[[int], np.ndarray] | None, sample: Sequence[Sample]) -> int:
    """How many sampled words the law reproduces; 0 when the first is not among them or the law of hwsim does as well."""
    hits = 0
    for number, (kind, address, got) in enumerate(sample):
        pixel, cot = divmod(address, law.source.entry["cot"])
        law.unwritten = False
        acc = accumulators(address) if accumulators else law.acc(pixel, cot)
        word = acc if kind == "A" else law.out(acc, cot)
        same = law.unwritten if "X" in got else all(int(lane) == g for lane, g in zip(word, got))
        if number == 0 and not same:
            return 0
        hits += same
    return hits


def expected_word(files: LayerFiles, address: int) -> tuple[np.ndarray, np.ndarray]:
    """(accumulators, outputs) of one address under the law; what explain prints and tests compare with the files."""
    law = Law(Source(files))
    pixel, cot = divmod(address, files.entry["cot"])
    acc = law.acc(pixel, cot)
    return acc, law.out(acc, cot)
