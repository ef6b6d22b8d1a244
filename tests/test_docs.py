"""The documents tell the truth: what they name exists, and what they list is what the code says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from cli.main import COMMANDS
from config.settings import PREFIX, Settings, layouts
from streams.layout import load_layout
from streams.topics import DAY_MS, Topic
from tests import layout_page

ROOT = Path(__file__).resolve().parent.parent
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
#: Written by `make soak` and the benchmarks; a checkout before the first run may be without them.
GENERATED = {"docs/performance.md", "docs/chaos.md"}
#: What no checkout has: an instance's own files, and the documents the layouts follow.
ELSEWHERE = {"vacancy.toml", *(f"{load_layout(name).document}.md" for name in layouts())}

_CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_IN_BACKTICKS = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PACKAGES = "adapters|agents|bench|cli|config|deploy|docs|domain|streams|tables|tests|web"
_LOOKS_LIKE_A_FILE = re.compile(rf"(?:{_PACKAGES}|\.ci)/[\w./-]+|[\w.-]+\.(?:md|toml|svg)")
_COMMAND = re.compile(r"(?<![\w./-])vacancy ([a-z][a-z-]*)")
_VARIABLE = re.compile(rf"\b{PREFIX}[A-Z_]+\b")

each_document = pytest.mark.parametrize("document", DOCS, ids=lambda path: str(path.relative_to(ROOT)))


def prose(document: Path) -> str:
    """A document without its code blocks."""
    return _CODE_BLOCK.sub("", document.read_text("utf-8"))


def there(path: str, beside: Path) -> bool:
    """Whether a path names something, seen from the root or from the document; `*` stands for anything."""
    places = (ROOT, beside)
    return path in GENERATED or any(any(place.glob(path.rstrip("/"))) for place in places)


@each_document
def test_every_file_that_is_named_exists(document: Path) -> None:
    named = {name for name in _IN_BACKTICKS.findall(prose(document)) if _LOOKS_LIKE_A_FILE.fullmatch(name)}
    assert {name for name in named - ELSEWHERE if not there(name, document.parent)} == set()


@each_document
def test_every_link_leads_somewhere(document: Path) -> None:
    links = {link.partition("#")[0] for link in _LINK.findall(document.read_text("utf-8"))}
    inside = {link for link in links if link and not link.startswith(("http://", "https://"))}
    generated = {ROOT / name for name in GENERATED}
    missing = {link for link in inside if not (document.parent / link).exists()}
    assert {link for link in missing if (document.parent / link).resolve() not in generated} == set()


@each_document
def test_nothing_was_left_to_be_written(document: Path) -> None:
    assert re.findall(r"\b(?:TODO|TBD|FIXME|XXX)\b", document.read_text("utf-8")) == []


@each_document
def test_every_command_that_is_shown_exists(document: Path) -> None:
    code = _IN_BACKTICKS.findall(document.read_text("utf-8")) + _CODE_BLOCK.findall(document.read_text("utf-8"))
    shown = {name for piece in code for name in _COMMAND.findall(piece)}
    # The list of gaps names commands that are not there yet.
    assert document.name == "gaps.md" or shown <= COMMANDS.keys()


def test_the_readme_names_every_command() -> None:
    assert set(_COMMAND.findall(prose(ROOT / "README.md"))) == COMMANDS.keys()


def test_every_variable_that_is_named_is_a_setting() -> None:
    settings = {PREFIX + name.upper() for name in Settings.model_fields}
    named = {name for document in DOCS for name in _VARIABLE.findall(document.read_text("utf-8"))}
    assert named - settings <= {"VACANCY_"}


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    code = [piece for document in DOCS for piece in _IN_BACKTICKS.findall(document.read_text("utf-8"))]
    blocks = [block for document in DOCS for block in _CODE_BLOCK.findall(document.read_text("utf-8"))]
    named = {name for piece in (*code, *blocks) for name in re.findall(r"\bmake ([a-z][a-z-]*)", piece)}
    assert named <= targets


def test_the_newest_version_is_the_one_of_the_package() -> None:
    versions = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert versions[0] == project["version"]


def test_the_page_of_layouts_is_what_is_written() -> None:
    assert layout_page.PAGE.read_text("utf-8") == layout_page.page(), "run `make docs`"


def test_the_readme_names_every_layout() -> None:
    named = re.findall(r"^\| `([a-z]+)` \|", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(layouts())


def test_the_table_of_topics_is_the_layout() -> None:
    table = [line for line in ARCHITECTURE.read_text("utf-8").splitlines() if line.startswith("| `")]
    shown = [line for line in table if re.match(r"\| `[a-z]+\.[a-z.-]+` \| \d", line)]
    assert shown == topic_rows()


def topic_rows() -> list[str]:
    """The table in docs/architecture.md: what is ours, dead letters left out (every topic with a key has one)."""
    layout = load_layout("catalogue")
    topics = [topic for topic in layout.all_topics if topic.name.removesuffix(".dlq") not in layout.topics]
    with_letters = {topic.name.removesuffix(".dlq") for topic in topics if topic.name.endswith(".dlq")}
    named = [topic for topic in topics if not topic.name.endswith(".dlq")]
    assert with_letters == {topic.name for topic in named if topic.key}
    return [_row(topic) for topic in named]


def _row(topic: Topic) -> str:
    key = f"`{topic.key}`" if topic.key else "row" if topic.compacted else "as it came"
    carries = ", ".join(model.__name__ for model in topic.carries)
    carries = carries or (
        "rows, and the position" if topic.compacted else "dead letters of documented topics, replayed"
    )
    return f"| `{topic.name}` | {topic.partitions} | {key} | {_kept(topic)} | {carries} |"


def _kept(topic: Topic) -> str:
    if topic.compacted:
        return "compacted"
    return "for ever" if topic.retention_ms < 0 else f"{topic.retention_ms // DAY_MS} d"


def test_every_decision_is_numbered_in_order_and_says_why() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [file.name[:4] for file in files] == [f"{number:04}" for number in range(1, len(files) + 1)]
    for file in files:
        headings = re.findall(r"^## (.+)$", file.read_text("utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], file.name
