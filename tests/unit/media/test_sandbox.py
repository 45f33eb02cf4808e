"""What a kernel lacks is said, and refused where the operator asked for it."""

import pytest

from omkt_pipeline.domain.errors import Unavailable
from omkt_pipeline.media.sandbox import Layers, checked

WHOLE = Layers(landlock=3, seccomp=True)


def test_levels_count_the_layers() -> None:
    assert [Layers(landlock=0, seccomp=False).level, Layers(landlock=0, seccomp=True).level, WHOLE.level] == [0, 1, 2]


@pytest.mark.parametrize("found", [Layers(landlock=0, seccomp=True), Layers(landlock=7, seccomp=False)])
def test_a_layer_that_lacks_is_refused_only_where_it_is_required(found: Layers) -> None:
    assert checked(required=False, found=found) == found
    with pytest.raises(Unavailable) as refusal:
        checked(required=True, found=found)
    assert refusal.value.code == "sandbox_missing"


def test_a_whole_sandbox_is_what_was_required() -> None:
    assert checked(required=True, found=WHOLE) == WHOLE
    assert "Landlock 3" in str(WHOLE)
