"""From raindrop to report: run the whole loop over a storm and read its log."""

import json
import tempfile
from collections import Counter
from pathlib import Path

from liuyu.app.choice import choose
from liuyu.app.config import Config
from liuyu.app.replay import replay

with tempfile.TemporaryDirectory() as scratch:
    out = Path(scratch)
    course = choose(Config(basin="qingxi"), out)
    replay(course, out)
    log = [json.loads(line) for line in (out / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    for (kind, state), count in Counter((line["kind"], line["state"]) for line in log).items():
        print(f"{kind:16} {state:14} {count}")
    print("files:", ", ".join(sorted(each.name for each in out.glob("report.*"))))
