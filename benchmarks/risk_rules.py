# SPDX-License-Identifier: Apache-2.0

"""How fast risk rules are matched: ordinary commands, and texts that are made to be slow.

    python -m benchmarks.risk_rules

Prints one line per case: characters, processor time per text, megabytes per second of one processor.
"""

import random
import resource
from pathlib import Path

from app.controls.loader import load
from app.controls.rule_text import MAX_CHARS
from app.controls.rules import RuleSet

ROUNDS = 3


def main() -> None:
    """Measure and print."""
    rules = load(Path(__file__).parent.parent / "controls").rules.values()
    rule_set = RuleSet(rules)
    samples = [sample for rule in rules for sample in (*rule.hits, *rule.misses)]
    words = " ".join(samples).split(" ")
    dice = random.Random(1)  # noqa: S311 - the same texts each time
    cases = {
        "samples of the rules": samples,
        "the same again": samples,
        "64 Ki of one letter": ["a" * MAX_CHARS],
        "64 Ki of semicolons": [";" * MAX_CHARS],
        "64 Ki of words of rules": [" ".join(dice.choice(words) for _ in range(12_000))[:MAX_CHARS] for _ in range(3)],
    }
    print(f"{len(samples)} samples of {len(rules)} rules")  # noqa: T201
    for name, texts in cases.items():
        spent = min(_spent(rule_set, texts) for _ in range(1 if name == "samples of the rules" else ROUNDS))
        size = sum(map(len, texts))
        print(f"{name:<24} {size:>8,} {spent / len(texts) * 1e6:>12,.0f} µs {size / spent / 1e6:>8.2f} MB/s")  # noqa: T201


def _spent(rule_set: RuleSet, texts: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for text in texts:
        rule_set.flags(text)
    return max(resource.getrusage(resource.RUSAGE_SELF).ru_utime - before, 1e-6)


if __name__ == "__main__":
    main()
