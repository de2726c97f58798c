"""Calls at the same moment."""

from tests.scene import DID, Scene, check, converse, one_deal
from tests.softphone import IncomingCall, Softphone


def ringing(phone: Softphone) -> dict[str, IncomingCall]:
    """Both calls at one phone, by the name of the caller: the number is the same."""
    calls = [phone.expect_call() for _ in range(2)]
    for call in calls:
        call.ring()
    return {call.caller_name: call for call in calls}


def test_two_calls_of_one_number(scene: Scene, way: str) -> None:
    """Two calls, one contact, one deal (rule 7)."""
    anna, ben = scene.anna, scene.ben
    first, second = (scene.customer(way=way).call(DID, display=name) for name in ("Ida", "Udo"))
    hers, his = ringing(anna)["Ida"], ringing(ben)["Udo"]
    scene.rung("anna anna ben ben")
    hers.answer()
    his.answer()
    converse(hers, first)
    converse(his, second)
    first.hang_up()
    second.hang_up()
    calls = sorted(scene.calls(2), key=lambda call: str(call.agent.login))
    owner = one_deal().owner.login
    assert owner in ("anna", "ben")
    told = (("anna", (first, hers)), ("ben", (second, his)))
    for call, (agent, talks) in zip(calls, told, strict=True):
        check(call, talks, rang="anna ben", answered=agent, agent=agent, owner=owner)


def test_two_calls_of_one_number_missed(scene: Scene, way: str) -> None:
    scene.anna.auto()
    calls = [scene.customer(way=way).call(DID) for _ in range(2)]
    scene.rung("anna anna")
    for call in calls:
        call.hang_up()
    for row in scene.calls(2):
        check(row, calls, rang="anna", outcome="missed", talk=None, owner="anna")
    one_deal()


def test_waiting_call_on_one_phone(scene: Scene, way: str) -> None:
    """Two customers at Anna's phone, one on hold meanwhile: two calls, two deals."""
    anna = scene.anna
    first = scene.customer(way=way).call(DID)
    one = anna.expect_call()
    one.answer()
    second = scene.customer("+493044701183", way).call(DID)
    knocking = anna.expect_call()
    knocking.ring()
    one.hold()
    knocking.answer()
    converse(knocking, second)
    knocking.hang_up()
    one.resume()
    converse(one, first, 0.5)
    one.hang_up()
    known, new = scene.calls(2)
    check(known, (first, one), answered="anna", agent="anna", talk=0.8)
    talks = second, knocking
    check(new, talks, number="+493044701183", rang="anna", answered="anna", agent="anna")
    assert known.deal != new.deal


def test_two_conversations_at_once(scene: Scene, way: str) -> None:
    """What happens to one call leaves the other alone: one is transferred, one ends."""
    anna, ben = scene.anna, scene.ben
    first = scene.customer(way=way).call(DID)
    ida = anna.expect_call()
    ida.ring()
    ben.expect_call().ring()
    ida.answer()
    converse(ida, first)
    second = scene.customer("+493044701183", way).call(DID)
    udo = ben.expect_call()
    udo.ring()
    udo.answer()
    converse(udo, second)
    ben.auto()
    assert ida.transfer_blind("102") == 180
    taken = ben.expect_call("+493044701182")
    udo.hang_up()
    taken.answer()
    converse(taken, first)
    first.hang_up()
    one, other = scene.calls(2)
    check(one, (first, ida, taken), rang="anna ben", answered="anna ben", agent="ben")
    talks = second, udo
    check(other, talks, number="+493044701183", rang="ben", answered="ben", agent="ben")
