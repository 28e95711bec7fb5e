"""What changed first is named, and what a cache could still serve is measured."""

import pytest
from prefix_bodies import APIS, KEY, body

from lectr_lab.core.prefix.compare import Seen, change
from lectr_lab.core.prefix.joints import read_prompt
from lectr_lab.core.prefix.rules import rule_of

OPUS, HAIKU = ("anthropic", "claude-opus-5-5"), ("anthropic", "claude-haiku-5-5")
TALK = ("Read the file", "I did", "Now write it", "Done", "Thanks")
ASIDE = ("Find what calls it", "Three places", "Which ones")
SYSTEM = "\n".join(f"Rule {n}: do what rule {n} of the house says." for n in range(40))


def seen(data, at_s=0.0, model=OPUS, agent=None, media=False):
    rule = rule_of(*model)
    prompt = read_prompt(data, rule, KEY, has_media=media)
    return Seen(prompt, model, agent, at_s, at_s + 2)


def compare(now, *before, is_session=True):
    return change(now, before, rule_of(*now.model), is_session=is_session)


def first(now):
    return compare(now)


@pytest.mark.parametrize("api", APIS)
class TestOneConversation:
    """Turn after turn, in each API's form."""

    def test_begins(self, api):
        """Nothing of it was sent before."""
        told = first(seen(body(api, *TALK[:1])))

        assert (told.cause, told.kept, told.last_s) == ("first", 0, None)

    def test_goes_on(self, api):
        """All of the previous request is kept, and it was sent so long ago."""
        before = seen(body(api, *TALK[:3]), 10)
        told = compare(seen(body(api, *TALK), 70), before)

        assert (told.cause, told.prefix, told.kept) == ("none", 6, 6)
        assert told.last_s == 10

    def test_is_asked_again(self, api):
        """The same prompt, or another last message, costs nothing more."""
        before = seen(body(api, *TALK))
        again = compare(seen(body(api, *TALK), 60), before)
        other = compare(seen(body(api, *TALK[:4], "Well done"), 60), before)

        assert again.cause == other.cause == "none"
        assert (again.kept, other.kept) == (8, 7)

    def test_with_other_tools(self, api):
        """One more, one fewer, another order: what follows is lost."""
        before = seen(body(api, *TALK[:3]))
        kept = {("read", "write", "ask"): 2, ("read",): 1, ("write", "read"): 0}
        for tools, joints in kept.items():
            told = compare(seen(body(api, *TALK, tools=tools), 60), before)
            assert (told.cause, told.kept) == ("tools", joints)
            assert told.prefix == len(tools) + 4

    def test_with_another_system_prompt(self, api):
        """The tools stand before it, and stay."""
        before = seen(body(api, *TALK[:3]))
        told = compare(seen(body(api, *TALK, system="Be brief."), 60), before)

        assert (told.cause, told.prefix, told.kept) == ("system", 6, 2)

    def test_from_its_second_turn_on(self, api):
        """What it began with is recognised, though nothing was answered then."""
        before = seen(body(api, *TALK[:1]))
        told = compare(seen(body(api, *TALK[:3], system="Be brief."), 60), before)

        assert told.cause == "system"

    def test_with_an_edited_history(self, api):
        """From the edit on."""
        before = seen(body(api, *TALK[:3]))
        edited = (TALK[0], "I did so", *TALK[2:])
        told = compare(seen(body(api, *edited), 60), before)

        assert (told.cause, told.prefix, told.kept) == ("history", 6, 4)

    def test_with_its_only_message_edited(self, api):
        """In its second turn, nothing that was said is as it was."""
        before = seen(body(api, *TALK[:1]))
        told = compare(seen(body(api, "Read it", *TALK[1:3]), 60), before)

        assert (told.cause, told.prefix, told.kept) == ("history", 4, 3)

    def test_without_its_beginning(self, api):
        """A window that slides loses all that was said."""
        before = seen(body(api, *TALK, "Bye", "Wait"))
        told = compare(
            seen(body(api, *TALK[2:], "Bye", "Wait", "Yes", "So"), 60), before
        )

        assert (told.cause, told.kept) == ("history", 3)

    def test_with_another_model(self, api):
        """Caches are each model's own; back at the first, its own is still there."""
        before = seen(body(api, *TALK[:3]))
        other = seen(body(api, *TALK), 60, model=HAIKU)
        told = compare(other, before)
        back = compare(seen(body(api, *TALK), 90), before, other)

        assert (told.cause, told.kept, told.last_s) == ("model", 6, 0)
        assert (back.cause, back.kept, back.last_s) == ("none", 6, 0)

    def test_cut_down_to_a_summary(self, api):
        """Nothing that could be read is lost with it but the instructions, which stay."""
        before = seen(body(api, *TALK))
        told = compare(seen(body(api, "All in all: fine"), 60), before)

        assert (told.cause, told.prefix, told.kept) == ("none", 3, 3)


def test_agents_of_a_session_do_not_break_each_others_prefix():
    """Each is compared with its own, the most recent that fits."""
    main = seen(body("messages", *TALK[:3]), 0)
    agent = seen(body("messages", *ASIDE[:1], system="You search.", tools=("find",)), 5)
    side = seen(body("messages", "Name this", system="You name things.", tools=()), 6)

    assert compare(agent, main).cause == "first"
    assert compare(side, main, agent).cause == "first"
    goes_on = body("messages", *ASIDE, system="You search.", tools=("find",))
    assert compare(seen(goes_on, 30), main, agent, side).cause == "none"
    told = compare(seen(body("messages", *TALK), 60), main, agent, side)
    assert (told.cause, told.last_s) == ("none", 0)


def test_another_agents_prompt_is_not_gone_on_from():
    """Where a client says whose turn it is, its word counts."""
    one = seen(body("messages", *TALK[:3]), agent="a")
    told = compare(seen(body("messages", *TALK, system="Other."), 60, agent="b"), one)

    assert told.cause is None


def test_two_agents_with_the_same_instructions_share_them():
    """What one has sent, the other's cache holds."""
    one = seen(body("messages", "Look here"), 1, agent="a")
    told = compare(seen(body("messages", "Look there"), 20, agent="b"), one)

    assert (told.cause, told.kept, told.last_s) == ("none", 3, 1)


def test_what_was_sent_later_counts_for_how_long_it_lay():
    """Of two that hold the same, the one sent last."""
    early, late = (
        seen(body("messages", text), at) for text, at in (("a", 1), ("b", 9))
    )

    assert compare(seen(body("messages", "c"), 20), early, late).last_s == 9


def test_a_conversation_that_was_not_seen_before_is_not_called_the_first():
    """After a restart the proxy does not know what came before."""
    told = first(seen(body("messages", *TALK)))

    assert (told.cause, told.kept, told.last_s) == (None, None, None)
    assert told.prefix == 6


@pytest.mark.parametrize("is_session", [True, False])
def test_instructions_that_differ_a_little_were_altered(is_session):
    """A time of day in a system prompt is the usual reason."""
    before = seen(body("chat", "Is it spam?", system="It is 10:00.\n" + SYSTEM), 0)
    now = seen(body("chat", "And this?", system="It is 10:01.\n" + SYSTEM), 60)
    other = seen(body("chat", "And this?", system="Translate what follows."), 60)

    assert compare(now, before, is_session=is_session).cause == "system"
    assert compare(other, before, is_session=is_session).cause == "first"


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        ({"tools": ("read",)}, "tools"),
        ({"system": "Be long."}, "system"),
        ({"tools": ("read",), "said": "Other"}, "tools"),
        ({"system": "Be long.", "said": "Other"}, "first"),
    ],
    ids=str,
)
def test_short_instructions_are_known_by_what_stands_beside_them(asked, cause):
    """The same question, or the same system prompt with other tools."""
    before = seen(body("messages", "Go", system="Be brief."))
    asked = dict(asked)
    said = asked.pop("said", "Go")
    now = seen(body("messages", said, **{"system": "Be brief."} | asked), 60)

    assert compare(now, before).cause == cause


@pytest.mark.parametrize(
    ("changed", "cause"),
    [({}, "model"), ({"system": "Be brief."}, "system"), ({"tools": ()}, "tools")],
    ids=["model", "system", "tools"],
)
def test_a_second_turn_is_known_by_the_first_without_a_session(changed, cause):
    """However short it was."""
    before = seen(body("chat", "Hi"))
    model = HAIKU if cause == "model" else OPUS
    now = seen(body("chat", "Hi", "Hello", "So", **changed), 60, model=model)

    assert compare(now, before, is_session=False).cause == cause


def test_questions_with_the_same_instructions_keep_them():
    """However often, and whatever is asked."""
    before = [seen(body("chat", f"Is {n} spam?", system=SYSTEM), n) for n in range(5)]
    told = compare(seen(body("chat", "Is 9 spam?", system=SYSTEM), 60), *before)

    assert (told.cause, told.kept) == ("none", 3)


def test_conversations_of_one_key_are_not_mixed_up():
    """Two that begin with the same greeting are two."""
    other = seen(body("chat", "Hi", "Hello Ann", "Go on"))
    now = seen(body("chat", "Hi", "Hello Bob", "Go on", "So", "Yes"), 60)

    assert compare(now, other, is_session=False).cause is None
    assert compare(now, other, is_session=True).cause == "history"


@pytest.mark.parametrize(
    "changed",
    [
        {"tool_choice": {"type": "any"}},
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
        {"output_config": {"effort": "high"}},
        {"speed": "fast"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_parameter_that_the_vendor_names_is_named(changed):
    """Though the text is as it was."""
    before = seen(body("messages", *TALK[:3]))
    told = compare(seen(body("messages", *TALK, **changed), 60), before)

    assert (told.cause, told.prefix, told.kept) == ("parameters", 6, 6)


def test_a_first_picture_breaks_the_messages():
    """Anthropic: adding or removing images anywhere."""
    before = seen(body("messages", *TALK[:3]))
    told = compare(seen(body("messages", *TALK), 60, media=True), before)

    assert (told.cause, told.kept) == ("parameters", 6)


def test_a_parameter_may_leave_the_instructions():
    """Anthropic: a picture breaks the messages alone, so an opening keeps what it has."""
    before = seen(body("messages", *TALK[:1]))
    told = compare(seen(body("messages", "Look"), 60, media=True), before)

    assert (told.cause, told.kept) == ("none", 3)


def test_a_parameter_that_no_vendor_names_breaks_nothing():
    """Temperature is not part of a prefix."""
    before = seen(body("messages", *TALK[:3], temperature=0.1))
    told = compare(seen(body("messages", *TALK, temperature=0.9), 60), before)

    assert told.cause == "none"


def test_a_key_of_openais_parts_its_caches():
    """And so does the effort."""
    model = ("openai", "gpt-5.4")
    before = seen(body("responses", *TALK[:3], prompt_cache_key="a"), model=model)
    now = seen(body("responses", *TALK, prompt_cache_key="b"), 60, model=model)

    assert compare(now, before).cause == "parameters"
