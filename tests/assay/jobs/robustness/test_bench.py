from assay.jobs.robustness.bench import Bench
from generation.training.captions import colour_in, kind_in


def test_other_prompts_are_other(bench: Bench) -> None:
    assert all(bench.other_prompt(number) != bench.prompt(number) for number in range(500))


def test_a_forgery_is_to_show_another_kind_in_another_colour(bench: Bench) -> None:
    for number in range(100):
        own, other = bench.prompt(number), bench.other_prompt(number)
        assert colour_in(own) != colour_in(other)
        assert kind_in(own) != kind_in(other)
