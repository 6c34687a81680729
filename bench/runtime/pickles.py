"""Pickles written and read by the part of pickle that is Python."""

import io
import pickle


class Record:
    def __init__(self, number):
        self.number = number
        self.name = f"record {number}"
        self.values = (number, number / 3, [None, True, b"bytes"], {"key": number % 7})


def main():
    records = [Record(number) for number in range(150)]
    size = 0
    for _ in range(24):
        buffer = io.BytesIO()
        pickle._Pickler(buffer, 4).dump(records)
        size += buffer.tell()
        buffer.seek(0)
        again = pickle._Unpickler(buffer).load()
    return size, again[-1].values == records[-1].values
