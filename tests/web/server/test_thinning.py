"""What stays of many versions, whenever and however often they are thinned."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from web.server.thinning import LATELY, MOST, MOST_LATELY, staying

NOW = datetime(2026, 3, 4, 15, 7, tzinfo=UTC)

ages = st.one_of(st.integers(-60, 1_200), st.integers(0, 100_000), st.integers(0, 400 * 86_400))
histories = st.lists(ages, max_size=600).map(lambda found: [NOW - timedelta(seconds=age) for age in sorted(found)])


def part(time):
    return int(time.timestamp() // LATELY.total_seconds())


@given(histories)
def test_the_newest_stay_and_there_are_never_too_many(times):
    kept = staying(times, NOW)
    assert kept == sorted(set(kept))
    assert len(kept) <= MOST
    lately = [place for place, time in enumerate(times) if NOW - time < LATELY]
    assert kept[: len(lately[:MOST_LATELY])] == lately[:MOST_LATELY]
    assert not times or kept[0] == 0


@given(histories)
def test_each_ten_minutes_of_a_day_and_each_day_before_keep_their_newest(times):
    kept = staying(times, NOW)
    stretches: dict[object, int] = {}
    for place, time in enumerate(times):
        stretches.setdefault(part(time) if NOW - time < timedelta(days=1) else time.date(), place)
    assert len(kept) == MOST or set(stretches.values()) <= set(kept)
    older = [place for place in kept if NOW - times[place] >= LATELY]
    assert set(older) <= set(stretches.values())


@given(histories)
def test_thinning_twice_takes_nothing_more(times):
    kept = [times[place] for place in staying(times, NOW)]
    assert staying(kept, NOW) == list(range(len(kept)))


@given(st.lists(st.integers(1, 4_000), min_size=1, max_size=300))
def test_thinning_at_every_save_leaves_a_version_of_each_ten_minutes(pauses):
    kept: list[datetime] = []
    saved: list[datetime] = []
    now = NOW
    for pause in pauses:
        now += timedelta(seconds=pause)
        saved.append(now)
        kept = [now, *kept]
        kept = [kept[place] for place in staying(kept, now)]
    today = [time for time in saved if now - time < timedelta(days=1)]
    assert {part(time) for time in today} == {part(time) for time in kept if now - time < timedelta(days=1)}
    assert {time.date() for time in saved} == {time.date() for time in kept}


def test_a_day_of_saving_every_two_seconds_leaves_a_few_versions():
    times = [NOW - timedelta(seconds=2 * number) for number in range(43_200)]
    kept = staying(times, NOW)
    assert kept[:MOST_LATELY] == list(range(MOST_LATELY))
    assert len(kept) == MOST_LATELY + 144


def test_without_versions_nothing_stays():
    assert staying([], NOW) == []
