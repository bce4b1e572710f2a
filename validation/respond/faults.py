"""Orders through everything that goes wrong: each that was signed reaches each recipient, and a second time says so.

    python validation/respond/faults.py [--orders 60] [--kills 20] [--seed 1]

A process signs orders of a synthetic basin, each to two recipients by e-mail, webhook and spool folder, and sends them.
Meanwhile it is killed with SIGKILL at random moments and started again, the SMTP server is taken away and brought back,
and of the webhook's answers every third is an error, or comes after the sender has given up. At the end what arrived is
held against the log. Prints the counts and exits with 1 where a signed order did not arrive, a duplicate is not marked,
a signature that was confirmed is not in the log, or the log's chain is broken. Some five minutes, most of them waiting.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # for the tests' own servers

from liuyu.store.sqlite import open_store  # noqa: E402
from tests.app.office_bench import Got, Receivers, expected  # noqa: E402

CHANNELS = ("smtp", "webhook", "spool")
PATIENCE = 600.0  # seconds until the last process must be done
FAULTS: Sequence[float] = (500, 0, 0, 503, 0, 0.3, 1.4, 0, 429, 0, 0, 1.2)
"""What the webhook does in turn: a status, or seconds of silence after it noted the message; 1 s is waited for."""


def run(folder: Path, orders: int, kills: int, seed: int) -> bool:
    """The whole trial. Returns whether everything that must hold does."""
    chance, happened = random.Random(seed), Counter[str]()
    ends, over = Receivers(folder), threading.Event()
    ends.config(folder)
    ends.failing = [FAULTS[place % len(FAULTS)] for place in range(10 * orders)]
    breaking = threading.Thread(target=_break_mail, args=(ends, over, random.Random(seed + 1), happened), daemon=True)
    breaking.start()
    began, confirmed = time.monotonic(), 0
    try:
        for number in range(kills + 1):
            confirmed = max(confirmed, _life(folder, orders, chance if number < kills else None, happened))
            if number == kills - 1:
                over.set()
                breaking.join()
    finally:
        over.set()
        breaking.join()
    sound = _judge(folder, ends, orders, confirmed, happened)
    print(f"{time.monotonic() - began:.0f} s by the clock")
    ends.close()
    return sound


def _life(folder: Path, orders: int, chance: random.Random | None, happened: Counter[str]) -> int:
    """One process, killed at a random moment where there is chance. Returns how many orders it confirmed."""
    command = [sys.executable, "-m", "tests.app.office_bench", str(folder), str(orders)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    confirmed = int(process.stdout.readline().split()[1])
    if chance is None:
        process.wait(PATIENCE)
        happened["process ended by itself"] += process.returncode == 0
        return orders
    for _ in range(chance.randint(0, 4)):
        line = process.stdout.readline().split()
        confirmed = int(line[1]) if line[:1] == ["signed"] else confirmed
    time.sleep(chance.random() ** 2 * 1.5)
    process.kill()
    for line in process.stdout.read().splitlines():
        confirmed = int(line.split()[1]) if line.startswith("signed") else confirmed
    process.wait()
    happened["SIGKILL"] += 1
    return confirmed


def _break_mail(ends: Receivers, over: threading.Event, chance: random.Random, happened: Counter[str]) -> None:
    """Take the SMTP server away, and bring it back, until all is over."""
    while not over.wait(1 + 4 * chance.random()):
        ends.down()
        happened["SMTP server away"] += 1
        over.wait(1 + 6 * chance.random())
        ends.up()


def _judge(folder: Path, ends: Receivers, orders: int, confirmed: int, happened: Counter[str]) -> bool:
    """Hold what arrived against the log, and print it."""
    for what, count in sorted(happened.items()):
        print(f"{what}: {count}")
    with closing(open_store(folder / "store", read_only=True)) as store:
        keys = expected(store, CHANNELS)
        attempts = [job.attempts for job in store.jobs(limit=100_000)]
        open_jobs = store.jobs(states=["queued", "claimed", "failed"])
        chains = [store.verify_chain(log) for log in ("event", "audit")]
        signed = {each.id for each in store.events(kinds=["dispatch"]) if each.state == "signed"}
    print(f"signed orders in the log: {len(signed)} of {orders}, confirmed {confirmed}")
    print(f"attempts: {sum(attempts)} for {len(attempts)} messages, most for one {max(attempts)}")
    got = {"smtp": ends.mails, "webhook": ends.posts, "spool": ends.texts()}
    sound = len(signed) >= confirmed and not open_jobs and happened["process ended by itself"] == 1
    for channel in CHANNELS:
        sound = _tell(channel, keys[channel], got[channel]) and sound
    print(f"signatures that do not fit their request: {ends.forged}")
    for chain in chains:
        print(f"{chain.log} log: {chain.count} entries, " + (chain.problem or "chain sound"))
    sound = sound and ends.forged == 0 and all(each.bad is None for each in chains)
    print("SOUND" if sound else "NOT SOUND")
    return sound


def _tell(channel: str, keys: set[str], got: Sequence[Got]) -> bool:
    """What must have arrived by a channel, and what did. A file of the spool is one whatever was written to it."""
    if channel == "spool":
        print(f"spool: {len(keys)} due, {len(keys) - len(got)} lost")
        return len(got) == len(keys)
    seen, twice, unmarked = set[str](), 0, 0
    for each in got:
        twice += each.key in seen
        unmarked += each.key in seen and not each.duplicate
        seen.add(each.key)
    print(f"{channel}: {len(keys)} due, {len(keys - seen)} lost, {twice} twice, {unmarked} of these not marked")
    return seen == keys and not unmarked


def main() -> None:
    """Read the arguments, run, and exit."""
    reader = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    reader.add_argument("--orders", type=int, default=60)
    reader.add_argument("--kills", type=int, default=20)
    reader.add_argument("--seed", type=int, default=1)
    given = reader.parse_args()
    with tempfile.TemporaryDirectory(prefix="liuyu-respond-") as folder:
        sys.exit(0 if run(Path(folder), given.orders, given.kills, given.seed) else 1)


if __name__ == "__main__":
    main()
