from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Sequence
from datetime import date, timedelta
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from pypdf import PdfReader

from assay import catalog
from assay.cli import main
from assay.rules import RULES
from generation.declaration import Declaration
from generation.sign import sign
from tests import thumbnails
from tests.authority import Authority
from tests.pages import words
from tests.seeds import encoded


@pytest.fixture
def folder(
    tmp_path: Path, authority: Authority, home: Path, monkeypatch: pytest.MonkeyPatch, signed_jpeg: bytes
) -> Path:
    """The current folder: one signed picture, one plain one; the test authority is trusted."""
    (tmp_path / "signed.jpg").write_bytes(signed_jpeg)
    (tmp_path / "plain.png").write_bytes(encoded("PNG"))
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_HOME", str(home))
    return tmp_path


@pytest.fixture(scope="session")
def signed_jpeg(authority: Authority) -> bytes:
    return sign(encoded("JPEG"), "image/jpeg", authority.signer(), Declaration(title="a"))


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["verify", "--jobs", "1", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_verdict_in_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys, "signed.jpg")
    assert code == 0
    assert out.startswith("Made with generative AI, says a trusted signer\n")
    assert "\x1b" not in out
    assert err == ""


def test_several_images_are_summed_up_on_standard_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys, ".")
    assert code == 0
    assert "signed.jpg" in out
    assert "plain.png" in out
    assert "2 images" in err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["signed.jpg", "--fail-on", "generated"], 1),
        (["signed.jpg", "--fail-on", "edited,conflict"], 0),
        (["plain.png", "--fail-on", "generated"], 0),
        (["missing.jpg"], 3),
        (["missing.jpg", "signed.jpg", "--fail-on", "generated"], 1),
        (["missing.jpg", "signed.jpg", "--fail-on", "generated", "--exit-zero"], 0),
        (["*.webp"], 2),
        ([], 2),
        (["signed.jpg", "--trust", "../x"], 2),
        (["signed.jpg", "--trust", "misspelt"], 2),
        (["signed.jpg", "--output", "signed.jpg"], 2),
        (["-", "--files-from", "-"], 2),
        (["empty"], 2),
        (["signed.jpg", "--policy", "none.toml"], 2),
        (["signed.jpg", "--baseline", "none.json"], 2),
        (["signed.jpg", "--output", "missing/report.json"], 2),
        (["--files-from", "none.txt"], 2),
    ],
)
def test_exit_codes(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int) -> None:
    found, _, err = _run(capsys, *arguments)
    assert found == code
    if code == 2:
        message, hint = err.strip().splitlines()
        assert message.startswith("assay: ")
        assert hint.startswith("  ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--fail-on", "fake"],
        ["--jobs", "0"],
        ["--format", "docx"],
        ["--seconds", "inf"],
        ["--seconds", "nan"],
        ["--seconds", "-5"],
        ["--seconds", "soon"],
        ["--max-pixels", "9" * 20],
        ["--max-bytes", "-1"],
        ["--max-frames", "1.5"],
    ],
)
def test_usage_errors_exit_with_two(folder: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["verify", "signed.jpg", *arguments])
    assert caught.value.code == 2


@pytest.mark.parametrize("name", catalog.FORMATS)
def test_every_format_is_written_to_a_file(folder: Path, capsysbinary: pytest.CaptureFixture[bytes], name: str) -> None:
    arguments = ["verify", "--jobs", "1", "signed.jpg", "plain.png", "--format", name]
    assert main([*arguments, "--output", "report"]) == 0
    assert capsysbinary.readouterr().out == b""
    assert "signed.jpg" in words((folder / "report").read_bytes())
    assert main(arguments) == 0
    assert "signed.jpg" in words(capsysbinary.readouterr().out)


def test_a_document_is_not_written_to_a_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    code, out, err = _run(capsys, "signed.jpg", "--format", "pdf")
    assert (code, out) == (2, "")
    assert "--output" in err


def test_pictures_are_shown_where_a_format_shows_them(
    folder: Path, capsys: pytest.CaptureFixture[str], authority: Authority
) -> None:
    (folder / "kept.jpg").write_bytes(thumbnails.signed(authority.signer(), encoded("JPEG", "flower")))
    assert _run(capsys, "kept.jpg", "--format", "pdf", "--output", "report.pdf")[0] == 0
    assert len(list(PdfReader(folder / "report.pdf").pages[0].images)) == 2
    _, out, _ = _run(capsys, "kept.jpg", "--format", "html")
    assert out.count("<img") == 2
    _, out, _ = _run(capsys, "kept.jpg", "--format", "json")
    (read,) = json.loads(out)["reports"]
    assert read["outcomes"][0]["manifest"]["thumbnail"] is read["preview"] is None


def test_nothing_to_examine_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "list").write_bytes(b"")
    code, out, err = _run(capsys, "--files-from", "list")
    assert (code, out) == (0, "")
    assert "0 images" in err


def test_names_in_a_list_are_no_globs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "list").write_bytes(b"gone[1].jpg\nsigned.jpg\n")
    code, out, _ = _run(capsys, "--files-from", "list", "--format", "jsonl")
    assert (code, len(out.splitlines())) == (3, 2)


def test_escapes_in_a_name_stay_escaped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--policy", "\x1b[31mred.toml", "signed.jpg"]) == 2
    with pytest.raises(SystemExit):
        main(["verify", "signed.jpg", "--\x1b[31mred"])
    assert "\x1b" not in capsys.readouterr().err


def test_an_input_without_end_is_cut_off(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _feed(monkeypatch, bytes(5000))
    code, out, _ = _run(capsys, "-", "--max-bytes", "1000")
    assert code == 3
    assert "more than 1,000 bytes" in out


def test_an_error_of_our_own_is_not_a_violation(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise RuntimeError("oops")

    monkeypatch.setattr("assay.cli.COMMANDS", {"doctor": fail})
    assert main(["doctor"]) == 2
    assert "RuntimeError: oops" in capsys.readouterr().err
    monkeypatch.setenv("ASSAY_DEBUG", "1")
    with pytest.raises(RuntimeError):
        main(["doctor"])


def test_a_failed_run_leaves_the_old_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "report").write_text("old")
    (folder / "assay.toml").write_text("nonsense")
    assert _run(capsys, "signed.jpg", "--output", "report")[0] == 2
    assert (folder / "report").read_text() == "old"


def test_lines_of_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = _run(capsys, "signed.jpg", "plain.png", "--format", "jsonl")
    names = [json.loads(line)["exhibit"]["name"] for line in out.splitlines()]
    assert names == ["signed.jpg", "plain.png"]


POLICY = """
[[rules]]
id = "credentials-required"
"""


def test_nearest_policy_is_applied(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "assay.toml").write_text(POLICY)
    code, out, _ = _run(capsys, "plain.png", "signed.jpg")
    assert code == 1
    assert "credentials-required" in out
    assert _run(capsys, "plain.png", "--no-policy")[0] == 0
    assert _run(capsys, "signed.jpg")[0] == 0


def test_baseline_accepts_what_is_known(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "assay.toml").write_text(POLICY)
    code, _, err = _run(capsys, "plain.png", "--write-baseline", "known.json")
    assert code == 0
    assert "1 violations accepted in known.json" in err
    assert _run(capsys, "plain.png", "--baseline", "known.json")[0] == 0
    (folder / "new.png").write_bytes(encoded("PNG", "flower"))
    assert _run(capsys, "plain.png", "new.png", "--baseline", "known.json")[0] == 1
    _run(capsys, "plain.png", "--baseline", "known.json", "--write-baseline", "known.json")
    assert _run(capsys, "plain.png", "--baseline", "known.json")[0] == 0


def test_baseline_accepts_what_cannot_be_examined(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "assay.toml").write_text(POLICY)
    (folder / "notes.jpg").write_bytes(b"text")
    names = ["signed.jpg", "notes.jpg", "gone.jpg", "--baseline", "known.json"]
    assert _run(capsys, *names[:3], "--write-baseline", "known.json")[0] == 0
    code, out, err = _run(capsys, *names)
    assert code == 0
    assert out.count("A baseline accepts that this file could not be examined.") == 2
    assert "2 could not be examined; 2 of these accepted by the baseline" in err
    code, out, _ = _run(capsys, *names, "--format", "sarif")
    (invocation,) = json.loads(out)["runs"][0]["invocations"]
    assert (code, invocation["executionSuccessful"]) == (0, True)
    (folder / "gone.jpg").mkdir()
    assert _run(capsys, *names[:2], "gone.jpg/x.jpg", *names[3:])[0] == 1
    (folder / "notes.jpg").write_bytes(b"other text")
    assert _run(capsys, "signed.jpg", "notes.jpg", "--baseline", "known.json")[0] == 1
    assert _run(capsys, "signed.jpg", "notes.jpg", "--no-policy")[0] == 3


def test_what_a_folder_holds_and_is_not_examined_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "logo.svg").write_bytes(b"<svg/>")
    told = "assay: not examined, left out of folders: 1 SVG (logo.svg)\n"
    for options, expected in (((), 0), (("--strict",), 3), (("--strict", "--exit-zero"), 0)):
        code, out, err = _run(capsys, ".", "--quiet", *options, "--format", "junit")
        assert (code, told in err, "logo" in out) == (expected, True, False)
    assert _run(capsys, ".", "--strict", "--fail-on", "generated")[0] == 1
    code, _, err = _run(capsys, "plain.png", "--strict")
    assert (code, "left out" in err) == (0, False)


def test_expired_exceptions_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exception = (
        '[[exceptions]]\nrule = "credentials-required"\npaths = ["*.png"]\nreason = "old"\nexpires = 2020-01-01\n'
    )
    (folder / "assay.toml").write_text(POLICY + exception)
    code, _, err = _run(capsys, "signed.jpg")
    assert code == 0
    assert "expired" in err


def _feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(data)))


def test_image_on_standard_input(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, signed_jpeg: bytes
) -> None:
    _feed(monkeypatch, signed_jpeg)
    code, out, _ = _run(capsys, "-", "--fail-on", "generated")
    assert code == 1
    assert "<stdin>" in out


@pytest.mark.parametrize("where", ["stdin", "file"])
def test_a_list_of_files(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    names = b"signed.jpg\0plain.png\0"
    (folder / "list").write_bytes(names)
    _feed(monkeypatch, names)
    _, out, _ = _run(capsys, "--files-from", "-" if where == "stdin" else "list", "--format", "jsonl")
    assert len(out.splitlines()) == 2


def test_personal_data_is_masked_unless_asked_for(folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x8769] = {0xA431: "SERIAL-4711"}
    exif[0x013B] = "Jane Doe"
    Image.new("RGB", (64, 64)).save(folder / "camera.jpg", exif=exif)
    for name in catalog.FORMATS:
        main(["verify", "--jobs", "1", "camera.jpg", "--format", name])
        out = words(capsysbinary.readouterr().out)
        assert "camera.jpg" in out, name
        assert "SERIAL-4711" not in out, name
        assert "Jane Doe" not in out, name
    main(["verify", "--jobs", "1", "camera.jpg", "--include-personal"])
    assert "SERIAL-4711" in words(capsysbinary.readouterr().out)


def test_explain_lists_and_explains_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    listed = capsys.readouterr().out
    for name in [*catalog.FILE_CHECKS, *catalog.PIXEL_CHECKS, *RULES]:
        assert name in listed
        assert main(["explain", name]) == 0
        assert len(capsys.readouterr().out) > 100
    assert main(["explain", "nonsense"]) == 2
    assert "neither a check nor a rule" in capsys.readouterr().err


def test_trust_lists_are_added_and_listed(
    tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    pem = tmp_path / "own.pem"
    pem.write_bytes(authority.anchors)
    options = ["--home", str(tmp_path), "--trust", "desk"]
    assert main(["trust", "add", str(pem), "--kind", "signers", "--issued", "2026-08-05", *options]) == 0
    assert main(["trust", "list", "--home", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.count("desk: signers") == 2
    assert "1 certificates, issued 2026-08-05" in out
    assert main(["trust", "update", *options]) == 2
    assert "no publisher" in capsys.readouterr().err
    assert main(["trust", "remove", "none", *options]) == 2
    found = out.partition("sha256 ")[2][:12]
    assert main(["trust", "remove", found, *options]) == 0
    assert main(["trust", "list", "--home", str(tmp_path)]) == 0
    assert "removed, desk: signers" in capsys.readouterr().out


def test_sarif_has_the_bytes_of_a_name_relative_to_the_repository(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".git").mkdir()
    here = folder / "sub"
    here.mkdir()
    names = [os.fsdecode(b"caf\xe9.jpg"), os.fsdecode(b"not \xff an image.jpg")]
    (folder / "signed.jpg").rename(here / names[0])
    (here / names[1]).write_bytes(b"text")
    monkeypatch.chdir(here)
    code, out, _ = _run(capsys, *names, "--no-policy", "--format", "sarif")
    assert code == 3
    (run,) = json.loads(out)["runs"]
    uris = ["sub/caf%E9.jpg", "sub/not%20%FF%20an%20image.jpg"]
    assert [artifact["location"]["uri"] for artifact in run["artifacts"]] == uris
    places = [
        finding["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for finding in (*run["results"], *run["invocations"][0]["toolExecutionNotifications"])
    ]
    assert places == uris


def test_roots_of_time_stamps_are_added_to_any_profile(
    tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    for profile in ("c2pa", "c2pa+interim", "desk"):
        options = ["--kind", "timestamps", "--home", str(tmp_path / "home"), "--trust", profile]
        (tmp_path / "root.pem").write_bytes(authority.anchors)
        assert main(["trust", "add", str(tmp_path / "root.pem"), *options]) == 0
        assert main(["trust", "add", str(tmp_path / "root.pem"), *options]) == 0
        assert "replaced" not in capsys.readouterr().out
        (tmp_path / "root.pem").write_bytes(Authority.create("Newer").anchors)
        assert main(["trust", "add", str(tmp_path / "root.pem"), *options]) == 0
        out = capsys.readouterr().out
        assert f"replaced, {profile}: timestamps" in out
        assert f"added, {profile}: timestamps" in out


def test_certificates_are_distrusted_and_trusted_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = ["--home", str(tmp_path)]
    by_serial = ["--serial", "16170", "--issuer", "Camera Maker CA"]
    since = ["--since", "2025-09-12", "--reason", "revoked by its maker"]
    assert main(["trust", "distrust", *by_serial, *since, *home]) == 0
    assert main(["trust", "distrust", "--fingerprint", "AB" * 32, "--reason", "key published", *home]) == 0
    capsys.readouterr()
    assert main(["trust", "list", *home]) == 0
    out = capsys.readouterr().out
    assert "serial 0x3f2a issued by Camera Maker CA, since 2025-09-12" in out
    assert f"sha256 {'ab' * 32}, at any time" in out
    assert "revoked by its maker" in out
    assert main(["trust", "distrust", *by_serial, "--undo", *home]) == 0
    assert main(["trust", "distrust", *by_serial, "--undo", *home]) == 2
    capsys.readouterr()
    assert main(["trust", "list", *home]) == 0
    assert "Camera Maker CA" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "A reason has"),
        (["--reason", "x"], "One certificate has to be named"),
        (["--fingerprint", "abc", "--reason", "x"], "not the sha256"),
        (["--fingerprint", "ab" * 32], "A reason has"),
        (["--fingerprint", "ab" * 32, "--reason", "x", "--since", "yesterday"], "not a date"),
        (["--fingerprint", "ab" * 32, "--reason", "x", "--since", "9999-01-01"], "not come yet"),
        (["--serial", "1", "--reason", "x"], "One certificate has to be named"),
        (["--fingerprint", "ab" * 32, "--undo", "--reason", "x"], "neither --since nor --reason"),
        (["--undo"], "One certificate has to be named"),
    ],
)
def test_trust_distrust_names_what_is_wrong(
    tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trust", "distrust", *arguments, "--home", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_no_trust_list_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trust", "list", "--home", str(tmp_path)]) == 0
    assert "nobody is trusted" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["none.pem"], ["none.pem", "--issued", "yesterday"]])
def test_trust_add_names_what_is_wrong(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if len(arguments) > 1:
        (tmp_path / "none.pem").write_text("x")
    assert main(["trust", "add", *arguments]) == 2
    assert capsys.readouterr().err.startswith("assay: ")


def test_doctor_is_content(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--home", str(home)]) == 0
    out = capsys.readouterr().out
    assert "refuses to fetch" in out
    assert "1 certificates for signers" in out


def test_doctor_finds_a_damaged_trust_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "trust" / "c2pa").mkdir(parents=True)
    (tmp_path / "trust" / "c2pa" / "lists.json").write_text("{")
    assert main(["doctor", "--home", str(tmp_path)]) == 2
    assert "problem  trust lists" in capsys.readouterr().out


def test_interrupted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("assay.cli.COMMANDS", {"doctor": interrupt})
    assert main(["doctor"]) == 130


def _assay(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "assay", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def test_a_terminal_that_knows_only_ascii(folder: Path) -> None:
    done = _assay("verify", "signed.jpg", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "\\u25cf" in done.stdout


def test_version_and_help() -> None:
    assert _assay("--version").stdout.startswith("assay 0.")
    out = _assay("verify", "--help").stdout
    for code in ("0  the policy", "1  the policy", "2  usage", "3  some input"):
        assert code in out


def test_help_imports_nothing_heavy() -> None:
    """The import is watched for, not its success: it has to hold where these are installed, too."""
    code = (
        "import sys\n"
        "HEAVY = {'torch', 'diffusers', 'timm', 'c2pa', 'streamlit', 'numpy', 'PIL', 'cryptography', 'jinja2'}\n"
        "HEAVY |= {'pyarrow', 'typst'}\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in HEAVY:\n"
        "            print('imported', name)\n"
        "sys.meta_path.insert(0, Watch())\n"
        "from assay.cli import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "except SystemExit:\n"
        "    pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert "imported" not in done.stdout
    assert "usage: assay" in done.stdout


def test_a_file_in_several_spellings_counts_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spellings = ["./signed.jpg", "signed.jpg", str(folder / "signed.jpg"), "signed.jpg", "."]
    _, out, _ = _run(capsys, *spellings, "--format", "jsonl")
    assert [json.loads(line)["exhibit"]["name"] for line in out.splitlines()] == ["signed.jpg", "plain.png"]


def test_a_reader_that_has_seen_enough(folder: Path) -> None:
    for number in range(40):
        (folder / f"{number}.jpg").write_bytes((folder / "signed.jpg").read_bytes())
    shell = f"{sys.executable} -m assay verify --jobs 1 *.jpg | head -1; printf ${{PIPESTATUS[0]}} >&2"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
    assert done.stdout == "Made with generative AI, says a trusted signer\n"
    assert done.stderr == "141"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full, a disk that is always full")
@pytest.mark.parametrize(
    "command",
    [
        "verify signed.jpg",
        "verify signed.jpg --format json",
        "verify signed.jpg --format pdf",
        "explain credentials",
        "doctor",
        "trust list",
        "--help",
        "verify --help",
        "--version",
    ],
)
def test_a_full_disk_is_no_error_of_ours(folder: Path, command: str) -> None:
    shell = f"{sys.executable} -m assay {command} > /dev/full"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-2:] == [
        "assay: the output cannot be written: No space left on device",
        "  Make room on the disk, or send the output elsewhere.",
    ]


@pytest.mark.parametrize(
    ("closed", "code", "said"),
    [
        (">&-", 2, "the output cannot be written: Bad file descriptor"),
        ("2>&-", 0, ""),
        ("<&- 2>&-", 0, ""),
        (">&- 2>&-", 2, ""),
        ("--output report.txt >&-", 0, ""),
    ],
)
def test_streams_that_are_closed(folder: Path, closed: str, code: int, said: str) -> None:
    shell = f"{sys.executable} -m assay verify --jobs 1 signed.jpg {closed}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert said in done.stderr
    assert "error in Assay" not in done.stderr


def _in_terminal(arguments: Sequence[str], *, stdout_too: bool) -> tuple[bytes, bytes]:
    """Run with a pseudo-terminal as standard error, and as standard output where asked for."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    process = subprocess.Popen(
        [sys.executable, "-m", "assay", "verify", "--jobs", "1", *arguments],
        stdout=slave if stdout_too else subprocess.PIPE,
        stderr=slave,
    )
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 65536):
            shown += chunk
    except OSError:  # Linux says so when the other side closes
        pass
    out = b"" if stdout_too or process.stdout is None else process.stdout.read()
    if process.stdout is not None:
        process.stdout.close()
    process.wait()
    os.close(master)
    return shown, out


def test_progress_bar_and_colour_on_a_terminal_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown, out = _in_terminal(["signed.jpg", "plain.png", "--format", "json"], stdout_too=False)
    assert b"image" in shown
    assert len(json.loads(out)["reports"]) == 2
    quiet, _ = _in_terminal(["signed.jpg", "plain.png", "--format", "json", "--quiet"], stdout_too=False)
    assert quiet == b""
    shown, _ = _in_terminal(["signed.jpg"], stdout_too=True)
    assert b"\x1b[" in shown
    monkeypatch.setenv("NO_COLOR", "1")
    shown, _ = _in_terminal(["signed.jpg"], stdout_too=True)
    assert b"\x1b[" not in shown


def test_dates_of_the_trust_list_are_judged(tmp_path: Path, authority: Authority) -> None:
    from assay import doctor
    from assay.vocabulary import Settings
    from forensics import anchors, trust

    settings = Settings(home=tmp_path)
    issued = date(2026, 1, 1)
    anchors.add(settings, authority.anchors, kind=trust.ListKind.SIGNERS, source="t", issued=issued, today=issued)
    for age, state in ((90, doctor.State.SOUND), (91, doctor.State.NOTE)):
        findings = doctor.examine(settings, today=issued + timedelta(days=age))
        (found,) = [finding for finding in findings if finding.what == "trust lists"]
        assert found.state is state
        assert f"{age} days ago" in found.text
