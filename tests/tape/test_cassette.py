"""Cassettes as vcrpy and its users leave them."""

import csv
import os
import time
from pathlib import Path

import pytest

from lectr_lab.core.errors import CassetteError
from lectr_lab.tape.cassette import Chunk, files_of, read_cassette, read_cassettes
from lectr_lab.tape.match import Tape

INDEX = Path(__file__).parents[2].parent / "shared/cassettes/INDEX.tsv"
SSE = "data: 1\\n\\ndata: 2\\n\\n"


def listed(*, parsed: bool) -> list[str]:
    """The shared recordings, by whether they keep the bytes."""
    if not INDEX.is_file():
        return []
    with INDEX.open(encoding="utf-8") as file:
        paths = [row["path"] for row in csv.DictReader(file, delimiter="\t")]
    return [path for path in paths if path.startswith("parsed_body/") == parsed]


def one(response: str, uri: str = "https://api.openai.com/v1/models") -> str:
    return f"""\
version: 1
interactions:
- request: {{method: get, uri: '{uri}', body: null, headers: {{}}}}
  response: {response}
"""


@pytest.mark.parametrize("name", listed(parsed=False))
def test_every_standard_recording_loads(shared, name):
    """With a status, a method, and a length that is the body's."""
    for each in read_cassette(shared / "cassettes" / name):
        headers = {name.lower(): value for name, value in each.response_headers}

        assert each.method == "POST"
        assert 200 <= each.status <= 500
        assert b"transfer-encoding" not in headers
        if b"content-length" in headers:
            assert int(headers[b"content-length"]) == len(each.body)


def test_the_standard_recordings_are_all_there(shared):
    """Seventy-nine, with the 131 interactions that were counted in them."""
    folder = shared / "cassettes"
    names = listed(parsed=False)

    assert len(names) == 79
    assert len(read_cassettes([folder / name for name in names])) == 131


@pytest.mark.parametrize("name", listed(parsed=True))
def test_what_is_not_byte_true_is_refused(shared, name):
    """The file and the reason are named."""
    with pytest.raises(CassetteError, match="parsed_body` is not byte-true") as error:
        read_cassette(shared / "cassettes" / name)

    assert name in str(error.value)


@pytest.mark.parametrize(
    ("response", "body"),
    [
        ("{status: {code: 200}, body: {string: 'été'}}", "été".encode()),
        ("{status: {code: 200}, body: {string: !!binary H4sI}}", b"\x1f\x8b\x08"),
        ("{status: {code: 200}, body: 'plain'}", b"plain"),
        ("{status: {code: 200}, body: {string: null}, headers: null}", b""),
        ("{status: {code: 200}}", b""),
        ("{status_code: 200, content: 'old', headers: {A: b}}", b"old"),
    ],
)
def test_bodies_come_in_several_shapes(cassette, response, body):
    """Text, binary, bare, none, and the old httpx shape."""
    [got] = read_cassette(cassette(one(response)))

    assert (got.status, got.body) == (200, body)


def test_headers_keep_order_case_and_repeats(cassette):
    """A list is a repeated header, a text is one; latin-1 and UTF-8 come through."""
    headers = "{Vary: [a, b], set-cookie: c, X: [é], Y: [日]}"

    [got] = read_cassette(
        cassette(one(f"{{status: {{code: 200}}, headers: {headers}}}"))
    )

    assert got.response_headers == (
        (b"Vary", b"a"),
        (b"Vary", b"b"),
        (b"set-cookie", b"c"),
        (b"X", "é".encode("latin-1")),
        (b"Y", "日".encode()),
    )


def test_an_event_stream_is_cut_by_event(cassette):
    """Without a side file each event is a chunk, at once."""
    kind = "{content-type: [text/event-stream; charset=utf-8]}"
    response = f'{{status: {{code: 200}}, headers: {kind}, body: {{string: "{SSE}"}}}}'

    [got] = read_cassette(cassette(one(response)))

    assert got.chunks == (Chunk(0, b"data: 1\n\n"), Chunk(0, b"data: 2\n\n"))


def test_the_side_file_has_the_cuts_and_times(cassette, tmp_path):
    """Names, chunk boundaries and times are the recorded ones."""
    path = cassette(one("{status: {code: 200}, body: {string: 'abcdef'}}"))
    (tmp_path / "tape.side.json").write_text(
        '{"version":1,"interactions":[{"started_ms":0,"head_ms":3.5,"feature":"f",'
        '"chunks":[[2,4],[4,9.25]],"ended":"broken"}]}'
    )

    [got] = read_cassette(path)

    assert got.chunks == (Chunk(4, b"ab"), Chunk(9.25, b"cdef"))
    assert (got.head_ms, got.ended, got.timing.feature) == (3.5, "broken", "f")


@pytest.mark.parametrize(
    ("side", "why"),
    [
        ("{", "is not a side file"),
        ('{"version":2,"interactions":[]}', "is not a side file"),
        ('{"version":1,"interactions":[]}', "0 entries for 1 interactions"),
        (
            '{"version":1,"interactions":[{"started_ms":0,"head_ms":0}]}',
            "chunks of interaction 1 are not its body",
        ),
    ],
)
def test_a_side_file_that_does_not_fit_is_an_error(cassette, tmp_path, side, why):
    """It says what does not fit, and the way out."""
    path = cassette(one("{status: {code: 200}, body: {string: 'abcdef'}}"))
    (tmp_path / "tape.side.json").write_text(side)

    with pytest.raises(CassetteError, match=why) as error:
        read_cassette(path)

    assert "Delete it" in str(error.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "line 2: this is not YAML"),
        ("just text", "has no list `interactions`"),
        ("- request: {}", "before 1.0"),
        ("http_interactions: []", "Ruby's VCR"),
        ("interactions: [{request: {}}]", "interaction 1: no 'response'"),
        ("interactions: [1]", "interaction 1: a value is not of vcrpy's form"),
        (one("{status: {code: 200}, body: {string: 12}}"), "interaction 1: a value"),
        (one("{status: {code: 200}}", "http://[/v1"), "interaction 1: a value"),
        (one("!!python/object/apply:os.system ['true']"), "line 4: a Python object"),
        (one("{body: {string: !!binary 'abc'}}"), "this is not YAML"),
    ],
)
def test_what_is_no_cassette_says_why(cassette, text, why):
    """The file, the place and the reason; never a piece of the text."""
    with pytest.raises(CassetteError) as error:
        read_cassette(cassette(text))

    assert "tape.yaml" in str(error.value)
    assert why in str(error.value)


def bomb(levels):
    """A header that is ten to the power of `levels` texts, by aliases."""
    lists = [
        f"n{i}: &n{i} [{', '.join([f'*n{i - 1}'] * 10)}]" for i in range(1, levels)
    ]
    headers = ", ".join(["n0: &n0 [x, x]", *lists])
    return f"{{status: {{code: 200}}, headers: {{{headers}}}}}"


@pytest.mark.parametrize(
    "text",
    [
        one(bomb(2)),
        one(bomb(30)),
        one("{status: &a {code: 200}, headers: {<<: *a}}"),
        one("&a {status: {code: 200}, body: *a}"),
        one("{status: {code: 200}, headers: {a: &v b, c: *v}}"),
    ],
)
def test_an_alias_is_refused_at_once(cassette, text):
    """However much it stands for, wherever it stands: the line is named."""
    began_s = time.process_time()

    with pytest.raises(CassetteError, match=r"line \d+: something is used again"):
        read_cassette(cassette(text))

    assert time.process_time() - began_s < 5  # what follows them takes minutes


@pytest.mark.parametrize(
    "value", ["[" * 100_000 + "]" * 100_000, '{"a":' * 100_000, "\n".join(" " * i + "-" for i in range(2000))]
)  # fmt: skip
def test_bottomless_yaml_is_no_cassette(cassette, value):
    """An error, not the end of the stack."""
    with pytest.raises(CassetteError, match="not YAML"):
        read_cassette(cassette(f"interactions:\n {value}"))


@pytest.mark.parametrize("levels", [900, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
def test_bottomless_json_in_a_body_plays(cassette, levels, opening, closing):
    """It is bytes like any other, to read, to compare and to say what is near."""
    body = opening * levels + "1" + closing * levels
    text = one(f"{{status: {{code: 200}}, body: {{string: '{body}'}}}}")
    [got] = read_cassette(cassette(text.replace("body: null", f"body: '{body}'")))
    tape = Tape([got])

    asked = tape.request("GET", got.uri, (), got.request_body, "openai")
    other = tape.request("GET", got.uri, (), b'{"a":{}}', "openai")

    assert tape.play(asked) is got
    assert tape.play(other) is None
    assert "what differs: body" in tape.miss(other)


def test_only_files_of_some_size_are_read(tmp_path):
    """A pipe would never end, and what is over the bound is said in megabytes."""
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(CassetteError, match="is no file"):
        read_cassettes(tmp_path)
    (tmp_path / "pipe.yaml").unlink()
    with (tmp_path / "large.yaml").open("wb") as file:
        file.truncate(300_000_000)

    with pytest.raises(CassetteError, match="has 300 MB; a cassette may have 256"):
        read_cassettes(tmp_path)


def test_what_is_not_there_says_so(tmp_path):
    """A missing file, a folder without cassettes, a file that is no text."""
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(CassetteError, match=r"no cassette at .*none\.yaml"):
        read_cassettes(tmp_path / "none.yaml")
    with pytest.raises(CassetteError, match="malformed text"):
        read_cassettes(str(tmp_path))
    (tmp_path / "binary.yaml").unlink()
    with pytest.raises(CassetteError, match="no cassette"):
        read_cassettes(tmp_path)


def test_an_interaction_does_not_show_its_content(cassette):
    """Its repr names file and number only."""
    [got] = read_cassette(cassette(one("{status: {code: 200}, body: 'secret'}")))

    assert repr(got) == f"<Interaction {got.file} #1>"


def as_json(text, file):
    """A cassette by vcrpy's own JSON serialiser."""
    from vcr.serializers import jsonserializer

    answer = {"status": {"code": 200, "message": "OK"}, "headers": {}}
    asked = {"method": "POST", "uri": "http://x/v1/a", "body": text, "headers": {}}
    one = {"request": asked, "response": answer | {"body": {"string": text}}}
    file.write_text(jsonserializer.serialize({"version": 1, "interactions": [one]}))
    return file


@pytest.mark.parametrize("name", ["a.json", "a.yaml", "a"])
@pytest.mark.parametrize("text", ["hello", "hello 😀", "\u2028\x7f", "\U0001d518 é"])
def test_json_is_read_as_json_under_any_name(tmp_path, name, text):
    """vcrpy escapes what is beyond U+FFFF in two halves, which YAML has not."""
    [one] = read_cassette(as_json(text, tmp_path / name))

    assert one.body == one.request_body == text.encode()


def test_json_that_is_none_says_where(tmp_path):
    """And quotes nothing of it."""
    path = tmp_path / "a.json"
    path.write_text('{"interactions":\n[secret}')

    with pytest.raises(CassetteError, match=r"line 2: this is not JSON\.$"):
        read_cassette(path)


def test_a_folder_s_json_cassettes_are_read_and_other_json_is_not(tmp_path):
    """Nor are side files."""
    as_json("hi", tmp_path / "a.json")
    (tmp_path / "a.side.json").write_text('{"version":1,"interactions":[')
    (tmp_path / "data.json").write_text("[1, 2]")

    assert files_of(tmp_path) == [tmp_path / "a.json"]
