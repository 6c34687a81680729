"""Tests of the library, which also say whether its modules came frozen."""

import io
import unittest

import _flashfreeze
from columns import reading, summary

TABLE = "year,place\n2023,Ulm\n2024,Bonn\n"


class ColumnsTest(unittest.TestCase):
    def test_numbers_and_texts(self):
        table = reading.read(io.StringIO(TABLE))
        self.assertEqual(table, {"year": [2023.0, 2024.0], "place": ["Ulm", "Bonn"]})
        self.assertEqual(summary.summarise(table["year"]), summary.Summary(2, 2023.5, 2023.5))
        self.assertIsNone(summary.summarise(table["place"]))

    def test_the_modules_are_frozen(self):
        for function in (reading.read, summary.summarise):
            self.assertTrue(_flashfreeze.is_static(function.__code__))


if __name__ == "__main__":
    unittest.main()
