"""Regular expressions: compiled, which re does in Python, and used on a text."""

import re

PATTERNS = [
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)",
    r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b",
    r"(?i)error|warning|note(?=:)",
    r'"(?:[^"\\]|\\.)*"',
    r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)",
    r"^\s*(def|class)\s+(\w+)\s*[(:]",
]
LINE = '2026-11-23 host 10.1.2.3 Error: mail to a.b+c@example.org failed: "no \\"such\\" user" note: again\n'


def main():
    text = LINE * 40
    found = 0
    for _ in range(90):
        re.purge()
        for pattern in PATTERNS:
            found += sum(1 for _ in re.compile(pattern, re.MULTILINE).finditer(text))
    return found
