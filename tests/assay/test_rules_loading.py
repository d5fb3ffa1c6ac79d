"""Reading a policy: what it means, and what every mistake is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import PolicyError
from assay.rules import RULES, discover, load
from assay.rules.ai import AiMarkKept, NoAi
from assay.rules.credentials import SignerAllowed
from assay.rules.files import AllowedFormat
from assay.vocabulary import Severity

FULL = """
[[rules]]
id = "credentials-required"
name = "desk-photos-signed"
severity = "warning"
paths = ["photos/**/*.jpg"]
exclude = ["photos/archive/**"]

[[rules]]
id = "no-ai"
allow = ["in part"]

[[exceptions]]
rule = "desk-photos-signed"
paths = ["photos/old/*.jpg"]
reason = "scanned before 2024"
expires = 2027-01-31

[[exceptions]]
rule = "no-ai"
sha256 = ["{digest}"]
reason = "illustration"
expires = 2027-01-31
""".replace("{digest}", "AB" * 32)


def written(folder: Path, text: str, name: str = "assay.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str, name: str = "assay.toml") -> tuple[str, str]:
    """The message and the hint."""
    path = written(folder, text, name)
    with pytest.raises(PolicyError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value), caught.value.hint


def test_a_policy_is_read_whole(tmp_path: Path) -> None:
    policy = load(written(tmp_path, FULL))
    first, second = policy.rules
    assert (first.name, first.severity, first.rule.id) == (
        "desk-photos-signed",
        Severity.WARNING,
        "credentials-required",
    )
    assert [glob.pattern for glob in (*first.paths, *first.exclude)] == ["photos/**/*.jpg", "photos/archive/**"]
    assert (second.name, second.severity, second.rule) == ("no-ai", Severity.ERROR, NoAi(allow=("in part",)))
    assert second.paths == second.exclude == ()
    by_path, by_content = policy.exceptions
    assert (by_path.rule, by_path.reason, by_path.expires) == (
        "desk-photos-signed",
        "scanned before 2024",
        date(2027, 1, 31),
    )
    assert by_content.sha256 == {"ab" * 32}
    assert policy.root == tmp_path


def test_a_pyproject_holds_the_same_keys(tmp_path: Path) -> None:
    text = FULL.replace("[[rules]]", "[[tool.assay.rules]]").replace("[[exceptions]]", "[[tool.assay.exceptions]]")
    nested = load(written(tmp_path, '[project]\nname = "site"\n' + text, "pyproject.toml"))
    plain = load(written(tmp_path, FULL))
    assert (nested.rules, nested.exceptions) == (plain.rules, plain.exceptions)


def test_parameters_are_typed(tmp_path: Path) -> None:
    text = """
    [[rules]]
    id = "allowed-format"
    formats = ["jpeg", "WebP"]
    max_bytes = 5_000_000
    [[rules]]
    id = "signer-allowed"
    organisations = ["Example Press"]
    allow_unsigned = true
    [[rules]]
    id = "ai-mark-kept"
    masters = "masters/**/{stem}_original.*"
    [[rules]]
    id = "detector-advisory"
    min_log10_lr = 2
    """
    policy = load(written(tmp_path, text))
    assert [applied.rule for applied in policy.rules[:3]] == [
        AllowedFormat(formats=("JPEG", "WEBP"), max_bytes=5_000_000),
        SignerAllowed(organisations=("Example Press",), allow_unsigned=True),
        AiMarkKept(masters="masters/**/{stem}_original.*"),
    ]
    assert policy.rules[3].severity is Severity.WARNING


def test_the_same_rule_may_be_applied_twice_under_two_names(tmp_path: Path) -> None:
    text = '[[rules]]\nid = "no-ai"\n[[rules]]\nid = "no-ai"\nname = "no-ai-sport"'
    assert [rule.name for rule in load(written(tmp_path, text)).rules] == ["no-ai", "no-ai-sport"]


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, FULL)
    monkeypatch.chdir(tmp_path)
    assert load(Path("assay.toml")).root == tmp_path


MINIMAL = '[[rules]]\nid = "no-ai"\n'
EXCEPTION = MINIMAL + '[[exceptions]]\nrule = "no-ai"\nreason = "r"\nexpires = 2027-01-31\n'


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "no rules", "[[rules]]"),
        ("rules = []", "no rules", "[[rules]]"),
        ("[[exceptions]]\nrule = 'no-ai'", "no rules", "[[rules]]"),
        ("rules = [", "is not TOML", "Correct"),
        ("x = 1979-99-99\n" + MINIMAL, "is not TOML", "Correct"),
        ("x = " + "9" * 5000, "is not TOML", "Correct"),
        ("x = " + "[" * 5000, "nested too deeply", "three levels"),
        ("[rules]\nid = 'no-ai'", "'rules' is not a list of tables", "[[rules]]"),
        ("rules = ['no-ai']", "'rules' is not a list of tables", "[[rules]]"),
        ("[[rule]]\nid = 'no-ai'", "unknown key 'rule'", "'rules'"),
        ("[[rules]]\nname = 'mine'", "rule 1 (mine): 'id' is missing", "id ="),
        ("[[rules]]\nid = 7", "rule 1: 'id' is not a text", "id ="),
        ("[[rules]]\nid = ''", "rule 1: 'id' is not a text", "id ="),
        ("[[rules]]\nid = 'credential-required'", "unknown rule 'credential-required'", "'credentials-required'"),
        ("[[rules]]\nid = 'qqqq'", "unknown rule 'qqqq'", "Known: ai-mark-kept, "),
        (MINIMAL + "pathes = ['a']", "rule 1 (no-ai): unknown key 'pathes'", "'paths'"),
        (MINIMAL + "alow = []", "rule 1 (no-ai): unknown key 'alow'", "'allow'"),
        (MINIMAL + "severity = 'eror'", "unknown severity 'eror'", "'error'"),
        (MINIMAL + "severity = 'fatal'", "unknown severity 'fatal'", "error, warning"),
        (MINIMAL + "severity = 1", "'severity' is not a text", "severity ="),
        ("[[rules]]\nid = 'detector-advisory'\nseverity = 'error'", "cannot be 'error': Detectors err", '"warning"'),
        (MINIMAL + "paths = 'a.jpg'", "'paths' is not a list of texts", '["…"'),
        (MINIMAL + "paths = [1]", "'paths' is not a list of texts", '["…"'),
        (MINIMAL + "paths = ['']", "'paths' is not a list of texts", '["…"'),
        (MINIMAL + "paths = []", "'paths' is empty", "every file"),
        (MINIMAL + "paths = ['*.{jpg,png}']", "'*.{jpg,png}' cannot be used", "one by one"),
        (MINIMAL + "exclude = ['/srv']", "'/srv' cannot be used", "relative"),
        (MINIMAL + "allow = 'in part'", "'allow' is not a list of texts", '["…"'),
        (MINIMAL + "allow = ['in parts']", "'allow': unknown value 'in parts'", "'in part'"),
        (MINIMAL + MINIMAL, "two rules are called 'no-ai'", "'name'"),
        (MINIMAL + "name = 'no ai'", "more than letters", "desk-photos-signed"),
        (MINIMAL + "name = 'signer-trusted'", "'signer-trusted' already means", "another name"),
        (MINIMAL + "name = 'expired-exception'", "'expired-exception' already means", "another name"),
        ("[[rules]]\nid = 'certificate-validity'\ndays = 1.5", "'days' is not a whole number", "days"),
        ("[[rules]]\nid = 'certificate-validity'\ndays = true", "'days' is not a whole number", "days"),
        ("[[rules]]\nid = 'certificate-validity'\ndays = -1", "'days' is below 0", "0 or more"),
        ("[[rules]]\nid = 'credentials-verify'\nstrict = 1", "'strict' is not true or false", "Give true or false"),
        ("[[rules]]\nid = 'detector-advisory'\nmin_log10_lr = nan", "is not a number", "likelihood ratio"),
        ("[[rules]]\nid = 'detector-advisory'\nmin_log10_lr = true", "is not a number", "likelihood ratio"),
        ("[[rules]]\nid = 'signer-allowed'", "do not make a rule", "'organisations'"),
        ("[[rules]]\nid = 'signer-allowed'\nissuers = []", "'issuers' is empty", "leave the key out"),
        ("[[rules]]\nid = 'allowed-format'", "do not make a rule", "'max_bytes'"),
        ("[[rules]]\nid = 'ai-mark-kept'", "'masters' is missing", "glob of the masters"),
        ("[[rules]]\nid = 'ai-mark-kept'\nmasters = 'masters/*.tif'", "do not make a rule", "{stem}.*"),
        ("[[rules]]\nid = 'ai-mark-kept'\nmasters = 'masters/{stem}'", "do not make a rule", "{stem}.*"),
        ("[[rules]]\nid = 'ai-mark-kept'\nmasters = 'masters/{stem}*.tif'", "do not make a rule", "{stem}.*"),
        ("[[rules]]\nid = 'ai-mark-kept'\nmasters = '/srv/{stem}.*'", "do not make a rule", "absolute"),
        (EXCEPTION, "exception 1 (no-ai): it needs either 'paths' or 'sha256'", "one way"),
        (EXCEPTION + "paths = ['a']\nsha256 = ['b']", "needs either", "one way"),
        (EXCEPTION + "sha256 = ['ab']", "'sha256' is not a list of sha256 digests", "64"),
        (EXCEPTION + "sha256 = []", "'sha256' is not a list of sha256 digests", "64"),
        (EXCEPTION + "sha256 = 'ab'", "'sha256' is not a list of texts", '["…"'),
        (EXCEPTION + "paths = ['a']\nuntil = 2027-01-31", "unknown key 'until'", "Known: expires"),
        (
            EXCEPTION.replace('rule = "no-ai"', "rule = 'no-aii'") + "paths = ['a']",
            "of this policy 'no-aii'",
            "'no-ai'",
        ),
        (EXCEPTION.replace('reason = "r"\n', "") + "paths = ['a']", "'reason' is missing", "reason ="),
        (EXCEPTION.replace('"r"', '"  "') + "paths = ['a']", "'reason' is not a text, or is empty", "reason ="),
        (EXCEPTION.replace("expires = 2027-01-31\n", "") + "paths = ['a']", "'expires' is missing", "2027-01-31"),
        (EXCEPTION.replace("2027-01-31", "'2027-01-31'") + "paths = ['a']", "is not a date", "without quotes"),
        (EXCEPTION.replace("2027-01-31", "2027-01-31T00:00:00Z") + "paths = ['a']", "is not a date", "without quotes"),
        (EXCEPTION.replace("2027-01-31", "2027-02-31") + "paths = ['a']", "is not TOML", "Correct"),
    ],
)
def test_every_mistake_names_its_place_and_remedy(tmp_path: Path, text: str, message: str, hint: str) -> None:
    said, remedy = refusal(tmp_path, text)
    assert message in said
    assert hint in remedy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[project]\nname = 'site'", "no rules"),
        ("tool = 1", "no rules"),
        ("[tool]\nassay = 1", "'tool.assay' is not a table"),
        ("[[tool.assay.rule]]\nid = 'no-ai'", "unknown key 'rule'"),
        (MINIMAL, "no rules"),
    ],
)
def test_mistakes_in_a_pyproject(tmp_path: Path, text: str, message: str) -> None:
    assert message in refusal(tmp_path, text, "pyproject.toml")[0]


@pytest.mark.parametrize("path", ["absent.toml", ".", "nul\0byte.toml"])
def test_a_file_that_cannot_be_read(tmp_path: Path, path: str) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        load(tmp_path / path)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "assay.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyError, match="is not TOML"):
        load(path)


# --- discovery --------------------------------------------------------------------------------------------------------


def test_the_nearest_policy_is_found(tmp_path: Path) -> None:
    deep = tmp_path / "site" / "photos" / "2026"
    deep.mkdir(parents=True)
    outer = written(tmp_path, MINIMAL)
    assert discover(deep) == outer
    inner = written(tmp_path / "site", "[[tool.assay.rules]]\nid = 'no-ai'", "pyproject.toml")
    assert discover(deep) == inner
    beside = written(tmp_path / "site", MINIMAL)
    assert discover(deep) == beside


def test_discovery_begins_at_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    outer = written(tmp_path, MINIMAL)
    monkeypatch.chdir(tmp_path / "site")
    assert discover(Path()) == outer


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("[[tool.assay.rules]]\nid = 'no-ai'", True),
        ("[tool.assay]", True),
        ("[[tool.assay.rules]\nid = 'no-ai'", True),
        ("[tool.ruff]\nline-length = 120", False),
        ("tool = 1", False),
        ("[project\n", False),
        ("", False),
    ],
)
def test_which_pyproject_counts(tmp_path: Path, text: str, counts: bool) -> None:
    path = written(tmp_path, text, "pyproject.toml")
    assert (discover(tmp_path) == path) is counts


def test_nothing_is_found_where_there_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "assay.toml").mkdir()
    (tmp_path / "pyproject.toml").mkdir()
    found = discover(tmp_path)
    assert found is None or tmp_path not in found.parents


# --- arbitrary files --------------------------------------------------------------------------------------------------

words = st.sampled_from(
    [
        *RULES,
        *("rules", "exceptions", "id", "name", "severity", "paths", "exclude", "rule", "reason", "expires", "sha256"),
        *("formats", "max_bytes", "days", "state", "strict", "masters", "allow", "kinds", "fields", "tool", "assay"),
        *(
            "error",
            "warning",
            "masters/{stem}.*",
            "JPEG",
            "trusted",
            "**/*.jpg",
            "[",
            "{stem}.{x}",
            "a/**/b",
            "in part",
        ),
    ]
)
scalars = st.one_of(
    words.map(lambda word: f'"{word}"'),
    st.integers().map(str),
    st.sampled_from(["true", "false", "nan", "inf", "-1.5", "2027-01-31", "2027-01-31T10:00:00Z", "10:00:00", '""']),
)
values: st.SearchStrategy[str] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.tuples(words, inner).map(lambda pair: f'{{ "{pair[0]}" = {pair[1]} }}'),
    ),
    max_leaves=4,
)
keys = st.one_of(words, words.map(lambda word: f'"{word}"'))
pairs = st.tuples(keys, values).map(lambda pair: f"{pair[0]} = {pair[1]}")
headers = st.one_of(
    st.sampled_from(["[[rules]]", "[[exceptions]]", "[[tool.assay.rules]]"]),
    st.sampled_from(sorted(RULES)).map(lambda rule: f'[[rules]]\nid = "{rule}"'),
    keys.map(lambda word: f"[{word}]"),
)
documents = st.lists(st.one_of(headers, pairs), max_size=10).map("\n".join)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(documents.map(str.encode), st.binary(max_size=80)),
    name=st.sampled_from(["assay.toml", "pyproject.toml"]),
)
def test_whatever_the_file_says_it_is_a_policy_or_a_policy_error(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    try:
        policy = load(path)
    except PolicyError as error:
        complaint: PolicyError | None = error
    else:
        complaint = None
        assert policy.rules
    assert complaint is None or (str(path) in str(complaint) and complaint.hint)


def test_no_rule_has_a_parameter_that_every_rule_has() -> None:
    from assay.rules.loading import _RULE_KEYS
    from assay.rules.parameters import parameters

    for rule in RULES.values():
        assert not {item.name for item in parameters(rule)} & set(_RULE_KEYS)


def test_a_policy_behind_a_link_belongs_to_the_folder_of_the_link(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "site").mkdir()
    written(tmp_path / "store", MINIMAL)
    (tmp_path / "site" / "assay.toml").symlink_to(tmp_path / "store" / "assay.toml")
    assert load(tmp_path / "site" / "assay.toml").root == tmp_path / "site"
