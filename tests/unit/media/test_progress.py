from omkt_pipeline.media.progress import Progress


def test_progress_follows_the_media_and_not_the_printing() -> None:
    fractions: list[float] = []
    progress = Progress(10.0, fractions.append)

    moved = [
        progress.take(line)
        for line in (
            "frame=0",
            "out_time_us=N/A",
            "progress=continue",
            "frame=50",
            "out_time_us=2500000",
            "out_time_us=2500000",
        )
    ]

    assert moved == [False, False, False, True, True, False]
    assert (progress.frames, progress.seconds, fractions[-1]) == (50, 2.5, 0.25)


def test_progress_never_passes_the_whole_nor_divides_by_an_unknown_length() -> None:
    fractions: list[float] = []
    Progress(1.0, fractions.append).take("out_time_us=5000000")
    Progress(0.0, fractions.append).take("out_time_us=5000000")

    assert fractions == [1.0]
