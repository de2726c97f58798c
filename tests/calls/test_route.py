"""T4: calls that a dialplan line hands to Trichter, which decides and gives them back."""

from models import Contact, Deal
from tests.office import Office
from verbs import users

STRANGER = "+493044701182"


def rung(office: Office) -> list[str]:
    """Logins of those whose phones rang in the one call, in the order of ringing."""
    (call,) = office.ended()
    legs = sorted(call.legs, key=lambda leg: leg.rang_at)
    return [leg.user.login for leg in legs]


def give_deal(office: Office, login: str) -> Deal:
    owner = getattr(office.world, login)
    contact = Contact.of_number(STRANGER, "Holm", owner)
    return Deal.open("Holm", owner, owner, contact=contact)


def test_unknown_caller_rings_the_department(listening: Office) -> None:
    with listening.phones(p102="answer") as phones:
        listening.caller(STRANGER, hold=0.3).run()
        assert not phones["103"].events(), "olga is in another department"
    assert sorted(rung(listening)) == ["anna", "ben"]
    (call,) = listening.ended()
    assert call.outcome == "answered"
    assert call.deal.owner == listening.world.ben


def test_owner_of_the_open_deal_rings_first_and_alone(listening: Office) -> None:
    deal = give_deal(listening, "ben")
    with listening.phones(p102="answer") as phones:
        listening.caller(STRANGER, hold=0.3).run()
        assert not phones["101"].events()
    assert rung(listening) == ["ben"]
    (call,) = listening.ended()
    assert call.deal == deal
    assert len(listening.deals()) == 1


def test_owner_is_busy_then_the_department(listening: Office) -> None:
    deal = give_deal(listening, "ben")
    with listening.phones(p101="answer", p102="busy"):
        listening.caller(STRANGER, hold=0.3).run()
    (call,) = listening.ended()
    assert call.agent == listening.world.anna
    assert call.deal == deal
    assert deal.owner == listening.world.ben


def test_nobody_to_ring_goes_to_the_fallback(listening: Office) -> None:
    for login in ("anna", "ben", "olga"):
        users.disable(getattr(listening.world, login))
    with listening.phones(p103="answer") as phones:
        assert listening.caller(STRANGER, hold=0.3).run() == "hung up"
        assert "answered" in phones["103"].events()
