"""A worker that has been taken over: it answers, but what it answers is not the protocol."""

import json
import sys
from typing import Any

FACTS = {"name": "fine", "byte_size": 1, "sha256": "", "picture": None}
ANSWERS: dict[str, Any] = {
    "pixels": {"facts": FACTS, "outcomes": [], "height": 10**6, "width": 10**6},
    "shape": {"facts": 3},
    "kind": {"facts": FACTS, "outcomes": [{"kind": "os.system", "check": "x"}]},
    "fine": {"facts": FACTS, "outcomes": []},
}
TRUST = {"profile": "c2pa", "certificates": 0, "sha256": "", "issued": None}


def main() -> None:
    sys.stdin.readline()
    _say({"tools": {"assay": "0", "libraries": {}, "trust": TRUST}})
    for line in sys.stdin:
        _say(ANSWERS[json.loads(line)["name"]])


def _say(message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
