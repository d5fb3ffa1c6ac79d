"""Results to try the file and the page with."""

from assay.jobs.robustness.results import Null, Pairs, Results, Row, Setup, ToldApart, is_forgery

SETUP = Setup(model="pocket", weights="0" * 16, count=4, steps=20, guidance=3.0, seed=0)


def row(name: str, *values: float, method: str = "sealed-seed", payload: tuple[bool, ...] | None = None) -> Row:
    same = (False,) * len(values) if is_forgery(name) else (True,) * len(values)
    return Row(method=method, name=name, device="cpu", log10_p=values, payload=payload, same=same)


def full() -> Results:
    rows = (
        row("clean", -200.0, -13.0, -7.0, -1.0, payload=(True, True, True, False)),
        row("clean", -8.0, -8.0, -8.0, -0.5, method="tree-ring"),
        row("reprompt", -9.0, -9.0, 0.0, 0.0),
    )
    null = Null(
        images="photographs", count=10, draws=10**7, each=20, exceeding=(10**5, 10**4, 999, 101, 9), uniform_p=0.4
    )
    told = ToldApart(
        method="sealed-seed",
        payload="fresh",
        train=10,
        correct=3,
        judged=4,
        textbook_p=0.02,
        looked_at=20,
    )
    pairs = Pairs(
        method="sealed-seed",
        count=10,
        photographs=20,
        frechet=(50.5, 50.0),
        frechet_difference=(0.5, -0.1, 1.1),
        named=8,
        agreement=(0.75, 0.875),
        agreement_difference=(-0.125, -0.375, 0.125),
    )
    return Results(setup=SETUP, rows=rows, nulls=(null,), told_apart=(told,), pairs=(pairs,))
