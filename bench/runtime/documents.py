"""JSON written with indents, which json does in Python, and read again."""

import json


def make_document(number):
    return {
        "number": number,
        "name": f"document {number}",
        "ratio": number / 7,
        "tags": [f"tag{i}" for i in range(number % 9)],
        "nested": {"true": True, "null": None, "list": [[number], {"key": "ä\n"}]},
    }


def main():
    documents = [make_document(number) for number in range(200)]
    length = 0
    for _ in range(125):
        text = json.dumps(documents, indent=2, sort_keys=True)
        length += len(text)
    return length, json.loads(text) == documents
