from assay.jobs.robustness.bench import Bench


def test_other_prompts_are_other(bench: Bench) -> None:
    assert all(bench.other_prompt(number) != bench.prompt(number) for number in range(500))
