from __future__ import annotations

from dataclasses import dataclass
from threading import Thread

from hypothesis import given
from hypothesis import strategies as st

from engine.cache import ENTRY_BYTES, Entry, MemoryCache, size_of


@dataclass
class Block:
    nbytes: int


def entry(size, seconds=1.0):
    return Entry({"value": Block(size - ENTRY_BYTES)}, {"value": None}, seconds)


KB = 10_000


def test_what_was_put_is_found_under_each_key():
    cache, one = MemoryCache(KB), entry(KB)
    cache.put(one, "recipe", "content")
    assert cache.get("recipe") is cache.get("content") is one
    assert cache.get("other") is None
    assert (len(cache), cache.nbytes) == (1, KB)


def test_an_alias_finds_what_the_known_key_finds():
    cache, one, two = MemoryCache(2 * KB), entry(KB), entry(KB)
    cache.put(one, "a")
    cache.put(two, "b")
    cache.alias("c", "a")
    cache.alias("b", "a")
    cache.alias("d", "unknown")
    assert cache.get("c") is one
    assert cache.get("b") is two
    assert cache.get("d") is None
    assert cache.nbytes == 2 * KB


def test_an_entry_larger_than_the_budget_is_not_kept():
    cache = MemoryCache(KB)
    cache.put(entry(KB), "small")
    cache.put(entry(KB + 1), "large")
    assert cache.get("large") is None
    assert cache.get("small") is not None


def test_what_costs_least_a_byte_leaves_first():
    cache = MemoryCache(4 * KB)
    cache.put(entry(KB, seconds=5), "dear")
    cache.put(entry(2 * KB, seconds=2), "large")
    cache.put(entry(KB, seconds=1.5), "cheap")
    cache.put(entry(2 * KB, seconds=9), "new")
    assert [key for key in ("dear", "large", "cheap", "new") if cache.get(key)] == ["dear", "cheap", "new"]


def test_a_use_renews_and_age_lets_even_dear_ones_leave():
    cache = MemoryCache(2 * KB)
    cache.put(entry(KB, seconds=3), "dear")
    for number in range(9):
        cache.put(entry(KB, seconds=1), f"cheap {number}")
    assert cache.get("dear") is None
    cache.put(entry(KB, seconds=1), "used")
    cache.put(entry(KB, seconds=1), "unused")
    cache.clear()
    cache.put(entry(KB, seconds=1), "used")
    cache.put(entry(KB, seconds=1.1), "unused")
    cache.put(entry(KB, seconds=1), "first out")
    assert cache.get("used") is None


def test_an_entry_used_meanwhile_outlives_one_of_equal_worth():
    cache = MemoryCache(3 * KB)
    for name in ("a", "b", "c"):
        cache.put(entry(KB), name)
    cache.put(entry(KB), "d")  # the clock is the worth of "a" now
    assert cache.get("b")
    cache.put(entry(KB), "e")
    assert [name for name in "abcde" if cache.get(name)] == ["b", "d", "e"]


def test_replacing_a_key_gives_its_bytes_back():
    cache, one, two = MemoryCache(3 * KB), entry(KB), entry(2 * KB)
    cache.put(one, "a", "b")
    cache.put(two, "a")
    assert (cache.get("a"), cache.get("b"), cache.nbytes) == (two, one, 3 * KB)
    cache.put(two, "b")
    assert cache.nbytes <= 3 * KB
    cache.put(entry(KB), "c")
    assert cache.nbytes <= 3 * KB
    cache.clear()
    assert (len(cache), cache.nbytes) == (0, 0)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1_000, 9_000), st.floats(0, 10)), max_size=40))
def test_the_budget_is_never_exceeded_and_the_bytes_are_those_held(puts):
    cache = MemoryCache(20_000)
    for key, size, seconds in puts:
        cache.put(entry(size, seconds), key)
        cache.alias(key + "'", key)
        cache.get("a")
        held = {id(slot): slot.size for slot in cache._slots.values()}
        assert cache.nbytes == sum(held.values()) <= 20_000


def test_threads_may_share_it():
    cache = MemoryCache(8 * KB)

    def work(name):
        for number in range(500):
            cache.put(entry(KB), f"{number % 20}", f"{name} {number % 30}")
            cache.get(f"{number % 20}")
            cache.alias(f"alias {name}", f"{number % 20}")

    threads = [Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.nbytes == sum({id(slot): slot.size for slot in cache._slots.values()}.values()) <= 8 * KB


def test_a_value_is_as_large_as_what_it_holds():
    assert size_of(Block(123)) == 123
    assert size_of([Block(100), (Block(10),)]) > 110
    assert size_of({"a": Block(100)}) > 100
    assert size_of("text") < 200


def test_a_dataclass_is_as_large_as_its_fields():
    @dataclass
    class Whole:
        part: Block

    assert size_of(Whole(Block(5_000))) >= 5_000
