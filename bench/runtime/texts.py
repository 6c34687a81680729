"""Strings put together, taken apart, translated and counted."""

WORDS = "the quick brown fox jumps over the lazy dog while nobody looks at what it does".split()


def make_text(lines):
    parts = []
    for number in range(lines):
        shift = number % len(WORDS)
        words = WORDS[shift:] + WORDS[:shift]
        parts.append(f"{number:05d} " + " ".join(word.title() if number & 1 else word for word in words))
    return "\n".join(parts)


def count_words(text):
    counts = {}
    for line in text.splitlines():
        for word in line.lower().split():
            if word.isalpha():
                counts[word] = counts.get(word, 0) + 1
    return counts


def encrypt(text):
    out = ""
    for letter in text:
        if "a" <= letter <= "z":
            letter = chr((ord(letter) - 84) % 26 + 97)
        out += letter
    return out


def main():
    total = 0
    for _ in range(20):
        text = make_text(700)
        total += sum(count_words(text).values()) + len(encrypt(text[:20_000]).replace("n", "nn"))
    return total
