"""The characters that the bank's letters can print, one `U+XXXX` a line.

JIS X 0213 (with it JIS X 0208: all kana, punctuation and 10,050 kanji, among them those allowed in names), the kanji of
JIS X 0212, which the same decoder knows, what CP932 adds (NEC and IBM kanji, as in many names), and the few further forms
that names are known for. Marks that join the letter before them and private letters are left out: the letter sets one
character beside the other.
"""

import itertools
import unicodedata

# 吉, 橋, 崎 and 稽 as some families write them; Adobe-Japan1 has them, the JIS standards do not.
FURTHER = "\U00020bb7\U0002363a\U0002550e\U00025874"


def characters():
    rows = range(0xA1, 0xFF)
    pairs = [bytes(pair) for pair in itertools.product(rows, rows)]
    triples = [b"\x8f" + pair for pair in pairs]
    for codec, codes in {
        "ascii": [bytes([byte]) for byte in range(0x20, 0x7F)],
        "euc_jis_2004": pairs + triples,
        "euc_jp": pairs,
        "cp932": [bytes(pair) for pair in itertools.product(range(0x81, 0xFD), range(0x40, 0xFD))],
    }.items():
        for code in codes:
            try:
                yield from code.decode(codec)
            except UnicodeDecodeError:
                pass
    yield from FURTHER


def printable(letter):
    return unicodedata.category(letter) not in {"Cc", "Cf", "Cn", "Co", "Mc", "Me", "Mn"}


for letter in sorted(set(filter(printable, characters()))):
    print(f"U+{ord(letter):04X}")
