"""The most flips that any permutation needs: small integers, lists, slices."""

from itertools import permutations


def flips(order):
    deck = list(order)
    count = 0
    while (first := deck[0]) != 0:
        deck[: first + 1] = deck[first::-1]
        count += 1
    return count


def main():
    most = 0
    checksum = 0
    for _ in range(2):
        for number, order in enumerate(permutations(range(8))):
            count = flips(order)
            checksum += count if number % 2 == 0 else -count
            if count > most:
                most = count
    return most, checksum
