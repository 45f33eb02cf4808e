"""Reading a stream of server-sent events."""

from omkt_client.sse import Event, events_in


def test_an_event_ends_with_an_empty_line() -> None:
    assert list(events_in(["event: job", "id: 7", 'data: {"a": 1}', ""])) == [
        Event(kind="job", data='{"a": 1}', id="7")
    ]


def test_an_event_that_was_cut_off_counts_for_nothing() -> None:
    assert list(events_in(["event: job", "data: whole", "", "event: job", "data: ha"])) == [
        Event(kind="job", data="whole", id=None)
    ]


def test_comments_and_unknown_fields_are_passed_over() -> None:
    assert list(events_in([": still here", "", "retry: 5", "data:x", "data:y", ""])) == [
        Event(kind="message", data="x\ny", id=None)
    ]
