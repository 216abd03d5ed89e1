"""Characters that look like others, as `{character: what it looks like}`.

Only what compatibility decomposition (NFKD) leaves standing: letters of other scripts and of the phonetic
alphabet that pass for Latin ones, letters in boxes and circles, typographic quotes, dots and slashes. Each
entry is a judgement of shape made for block lists; pairs inside ASCII (l and I, 0 and O) are left alone,
since ordinary text is full of them.
"""

from __future__ import annotations

import string
from types import MappingProxyType

__all__ = ["LOOKALIKES"]

_SHAPES = {
    # Cyrillic, Greek, Armenian, Cherokee, Lisu and phonetic letters, by the Latin letter that they resemble.
    "A": "АΑᎪꓮᴬ",
    "B": "ВΒᏴꓐ",
    "C": "СϹᏟꓚ",
    "D": "ᎠꓓĐ",
    "E": "ЕΕᎬꓰƐ",
    "F": "ϜꓝƑ",
    "G": "ԌᏀꓖ",
    "H": "НΗᎻꓧĦ",
    "I": "ІΙӀꓲ",
    "J": "ЈͿᎫꓙ",
    "K": "КΚᏦꓗ",
    "L": "ᏞꓡŁ",
    "M": "МΜᎷꓟ",
    "N": "ΝꓠƝ",
    "O": "ОΟՕꓳØ",
    "P": "РΡᏢꓑ",
    "Q": "ԚႳ",
    "R": "ᎡᏒꓣ",
    "S": "ЅՏᏕꓢ",
    "T": "ТΤᎢꓔŦ",
    "U": "ՍꓴƱ",
    "V": "ѴᏙꓦ",
    "W": "ԜᎳꓪ",
    "X": "ХΧꓫ",
    "Y": "УΥҮꓬ",
    "Z": "ΖᏃꓜƵ",
    "a": "аαɑᴀ",
    "b": "вβЬьʙɓƀ",
    "c": "сϲᴄƈ",
    "d": "ԁɗđᴅ",
    "e": "еεєɛəᴇ",
    "f": "ƒẝꜰ",
    "g": "ɡցɢǥ",
    "h": "һհнħʜ",
    "i": "іιıɩɪӏ",
    "j": "јȷᴊ",
    "k": "кκᴋƙ",
    "l": "łɫʟǀ",
    "m": "мᴍɱ",
    "n": "ոηɴɲŋп",
    "o": "оοօσøᴏ",
    "p": "рρᴘƥ",
    "q": "ԛզ",
    "r": "гʀɾɼᴦ",
    "s": "ѕꜱʂ",
    "t": "тτŧᴛƭ",
    "u": "υսμᴜʊ",
    "v": "νѵᴠ",
    "w": "ԝωᴡɯ",
    "x": "хχ×",
    "y": "уγүʏ",
    "z": "ᴢƶʐ",
    "ss": "ß",
    "SS": "ẞ",
    "ae": "æӕ",
    "AE": "ÆӔ",
    "oe": "œ",
    "OE": "Œ",
    # Signs. Every other dash is caught by its category.
    " ": "⠀",
    "'": "’‘‛ʼʹ′´",
    '"': "“”„‟″",
    ".": "·•∙⋅・․",
    "/": "⁄∕⧸",
    "|": "∣ǁ⏐",
    "*": "∗⁎✱",
    "-": "−⁃",
    "_": "ˍ",
    "~": "∼〜",
    "!": "ǃ",
}
# NEGATIVE CIRCLED, NEGATIVE SQUARED and REGIONAL INDICATOR capitals have no decomposition of their own.
_BOXED_ALPHABETS = (0x1F150, 0x1F170, 0x1F1E6)

LOOKALIKES = MappingProxyType(
    {other: ascii_ for ascii_, others in _SHAPES.items() for other in others}
    | {
        chr(first + number): letter
        for first in _BOXED_ALPHABETS
        for number, letter in enumerate(string.ascii_uppercase)
    }
)
