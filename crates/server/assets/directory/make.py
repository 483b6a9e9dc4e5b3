"""Makes zengin.tsv from a wheel of the PyPI package zengin-code: python3 make.py zengin_code-….whl"""

import json
import pathlib
import sys
import zipfile

DATA = "zengin_code/source-data/data/"

wheel = zipfile.ZipFile(sys.argv[1])
names = set(wheel.namelist())
lines = []
for code, bank in sorted(json.loads(wheel.read(DATA + "banks.json")).items()):
    lines.append("\t".join([code, bank["name"], bank["kana"], bank["roma"]]))
    branches = f"{DATA}branches/{code}.json"
    if branches in names:
        for number, branch in sorted(json.loads(wheel.read(branches)).items()):
            lines.append("\t".join(["", number, branch["name"], branch["kana"], branch["roma"]]))
here = pathlib.Path(__file__).parent
(here / "zengin.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
