import sys

from app import helpers


def main():
    helpers.show()
    if "--static" in sys.argv:
        import _flashfreeze

        here = sys._getframe().f_code
        codes = [here, helpers.show.__code__, helpers.Table.add_row.__code__, helpers.csv.Sniffer.sniff.__code__]
        print([_flashfreeze.is_static(code) for code in codes], _flashfreeze.info()["used"])
        frozen = {name for name, *_ in _flashfreeze.modules()}
        print(sorted(frozen & {"app.app", "app.version", "far.near.there", "tools"}))


if __name__ == "__main__":
    main()
