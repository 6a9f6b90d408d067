"""Pictures in words: lower-case English, each picture in several wordings."""

from __future__ import annotations

import re
from functools import cache
from random import Random

from nodes.pocket import draw, scenes
from nodes.pocket.draw import Picture, Still, Thing
from nodes.pocket.figures import FIGURES
from nodes.pocket.palette import COLOURS
from nodes.pocket.scenes import Scene

WORDINGS = {
    "gray": ("gray", "grey"),
    "small": ("small", "little", "tiny"),
    "large": ("large", "big", "huge"),
    "in the center": ("in the center", "in the middle"),
    "sailboat": ("sailboat", "sailboat", "boat"),
    "hot air balloon": ("hot air balloon", "hot air balloon", "balloon"),
    "pine tree": ("pine tree", "pine tree", "tree"),
    "the sea": ("the sea", "the sea", "the ocean"),
    "clouds": ("clouds", "some clouds"),
    "many stars": ("many stars", "many stars", "stars"),
    "a moon": ("a moon", "the moon"),
}
"""Other ways to say a word; what is not listed is said as it is."""

HOURS = {
    "day": (" under a blue sky", " on a sunny day", " by day"),
    "sunset": (" at sunset", " under a sunset sky", " in the evening"),
    "night": (" at night", " under a night sky"),
}

OPENINGS = ("a picture of ", "a drawing of ", "an illustration of ", "a photo of ", "an icon of ", "a cute ")
ENDINGS = ("flat colors", "vector art", "high quality", "minimalist", "cute", "simple", "sharp", "beautiful")
"""Habits of those who write prompts: they say nothing about a picture, and the model learns so."""


def caption(picture: Picture, random: Random) -> str:
    """One of the picture's wordings."""
    words = _scene(picture, random) if isinstance(picture, Scene) else _still(picture, random)
    if random.random() < 0.08:  # noqa: PLR2004
        opening = random.choice(OPENINGS)
        words = opening + (re.sub(r"^an? ", "", words) if opening.startswith("a cute") else words)
    if random.random() < 0.08:  # noqa: PLR2004
        words = ", ".join([words, *random.sample(ENDINGS, random.randint(1, 2))])
    return words


@cache
def known_words() -> dict[str, list[str]]:
    """Every word that captions are made of, by topic; each under its first topic only."""
    random = Random(0)
    heard: set[str] = set()
    for _ in range(6000):
        heard.update(words_of(caption(draw.imagine(random), random)))
    topics = {
        "colours": [*COLOURS, "grey"],
        "things": [*FIGURES, *(name for names in scenes.SUBJECTS.values() for name in names), "boat"],
        "places": [*draw.PLACES, *draw.RELATIONS],
        "sizes": [word for name in ("small", "large") for word in WORDINGS[name]],
        "lands": [*scenes.LANDS, "ocean"],
        "skies": [*(wording for hour in HOURS.values() for wording in hour), *(WORDINGS["clouds"])]
        + [name for names in scenes.OMENS.values() for name in names],
    }
    taken = {"a", "an", "the", "of", "on", "in", "at", "by", "to", "and", "with", "under", "over"}
    found: dict[str, list[str]] = {}
    for topic, phrases in topics.items():
        words = list(dict.fromkeys(word for phrase in phrases for word in words_of(phrase) if word not in taken))
        found[topic] = words
        taken.update(words)
    found["others"] = sorted(heard - {word for words in found.values() for word in words})
    return found


def words_of(text: str) -> list[str]:
    """The words of a text, in order, in lower case."""
    return re.findall(r"[a-z]+", text.lower())


def _say(name: str, random: Random) -> str:
    """The name or, now and then, another wording of it."""
    return random.choice((name, *WORDINGS[name])) if name in WORDINGS else name


def _with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _thing(thing: Thing, random: Random) -> str:
    size = _say(thing.size, random)
    return _with_article(" ".join(word for word in (size, _say(thing.colour, random), thing.figure) if word))


def _still(picture: Still, random: Random) -> str:
    first, *others = [_thing(thing, random) for thing in picture.things]
    if not others:
        return _single(first, picture, random)
    if len(others) == 1:
        return _before(f"{first} {picture.relation} {others[0]}", picture, random)
    return _before(f"{first}, {others[0]} and {others[1]}", picture, random)


def _single(thing: str, picture: Still, random: Random) -> str:
    if not picture.place:
        return _before(thing, picture, random)
    place = _say(picture.place, random)
    if random.random() < 1 / 3:
        return f"{_before(thing, picture, random)}, {place}"
    return _before(f"{thing} {place}", picture, random)


def _before(things: str, picture: Still, random: Random) -> str:
    """The things with their background; one caption in twenty leaves it open."""
    if random.random() < 0.05:  # noqa: PLR2004
        return things
    background = f"{_say(picture.background, random)} background"
    comma = random.choice(("", "", ","))
    return f"{things}{comma} on {_with_article(background)}" if random.random() < 0.75 else f"{things}, {background}"  # noqa: PLR2004


def _scene(scene: Scene, random: Random) -> str:
    land = _say(scene.land, random)
    words = f"{_subject(scene, random)} {_preposition(scene)} {land}" if scene.subject else land
    words += random.choice(HOURS[scene.hour])
    if scene.omen == "rain":
        return words + random.choice((" in the rain", ", in the rain", " with rain"))
    return words + (random.choice((" with ", ", with ")) + _say(scene.omen, random) if scene.omen else "")


def _subject(scene: Scene, random: Random) -> str:
    name = _say(scene.subject, random)
    return _with_article(f"{scene.colour} {name}" if scene.colour else name)


def _preposition(scene: Scene) -> str:
    if scene.subject == "hot air balloon":
        return "over"
    return "in" if scene.land in {"snowy mountains", "a desert"} or scene.subject == "whale" else "on"
