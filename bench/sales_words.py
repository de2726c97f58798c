"""What customers and their deals are called, in two scripts and with letters of many languages."""

from __future__ import annotations

from random import Random


def _each(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _each(
    "Anna Anton Ben Berta Carl Clara Dieter Doris Emil Eva Fritz Frieda Georg Greta Hans "
    "Heike Igor Ina Jan Julia Karl Katrin Lars Lena Max Maria Nils Nina Otto Olga Paul Petra "
    "Ralf Rita Sven Sabine Tim Tina Uwe Ute Viktor Vera Wolf Wiebke Михаил Ольга Фёдор "
    "Наталья Сергей Елена Günther Jörg Björn Käthe Zoë André François"
)
BRANCHES = _each(
    "Bäckerei Logistik Solar Praxis Kanzlei Gärtnerei Druckerei Autohaus Stadtwerke Reisebüro "
    "Hotel Metallbau Elektro Software Bau"
)
MATTERS = _each(
    "Roof Heating Contract Service Licence Removal Building Renovation Switchboard Server "
    "Training Solar Charger Kitchen Bathroom Lighting Network Office Garage Windows"
)
_PARTS = _each(
    "ber bach bauer stein mann feld hof berg wald schmidt müll kru ger holm lind ner kel ler "
    "wag vog el fisch sch neid weber mey hoff schulz koch rich klein wolf neu schröd haus "
    "lang krau se leh mai köhl herr kön walt huber kais fuchs pet scholz möl weiß jung hahn "
    "schub fried gün franz zim hart"
)
_STEMS = _each("иван петр сидор кузнец смирн попов соколов лебед козл новик мороз волк семён егор")
_ENDS = ("ов", "ев", "ин", "енко")


def surname(dice: Random) -> str:
    """One in ten is Cyrillic."""
    if dice.random() < 0.1:
        return (dice.choice(_STEMS) + dice.choice(_ENDS)).capitalize()
    return "".join(dice.choice(_PARTS) for _ in range(dice.choice((2, 2, 2, 3)))).capitalize()
