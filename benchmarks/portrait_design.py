"""How long it takes to design balanced portraits, by their number.

    python -m benchmarks.portrait_design [--counts 1260 11760 100000]

The figures of docs/portraits.md, section Time. One core; nothing is generated.
"""

from __future__ import annotations

import argparse
import time

from emonet.synthesis.portraits import design_portraits, read_factors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[1260, 11760, 100_000])
    factors = read_factors()
    for count in parser.parse_args().counts:
        began = time.monotonic()
        design_portraits(count, factors)
        print(f"{count:,} portraits: {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
