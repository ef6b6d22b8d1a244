"""`vacancy topics`: the layout against a broker."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli import instance
from cli.options import DataDirectory, SettingsFile, given
from config.layers import load
from config.settings import Settings
from streams.admin import Plan, TopicsError, config_of, replication_of
from streams.admin import apply as apply_plan
from streams.admin import plan as make_plan
from streams.admin import prune as delete_topics
from streams.layout import Layout, LayoutError, load_layout
from streams.lint import lint as find_problems
from streams.topics import Topic

app = typer.Typer(help="The layout's topics against a broker.", no_args_is_help=True)

LayoutName = Annotated[str | None, typer.Option("--layout", help="The layout; catalogue by default.")]
Environment = Annotated[str | None, typer.Option(help="local or production: how often topics are replicated.")]
Broker = Annotated[str | None, typer.Option("--broker", help="kafka://HOST:PORT instead of the instance's.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("lint")
def lint(layout: LayoutName = None, config: SettingsFile = None, as_json: Json = False) -> None:
    """Checks a layout by itself. Example: vacancy topics lint --layout catalogue"""
    found = _layout(load(given(None, layout=layout), config).settings)
    problems = find_problems(found)
    if as_json:
        said = {"layout": found.name, "problems": problems, "differences": list(found.differences)}
        typer.echo(json.dumps(said))
    else:
        for difference in found.differences:
            typer.echo(f"note: the document disagrees with itself: {difference}; both hold")
        typer.echo("\n".join(problems) or f"{found.name}: nothing to complain of")
    raise typer.Exit(1 if problems else 0)


@app.command("list")
def list_topics(layout: LayoutName = None, config: SettingsFile = None, as_json: Json = False) -> None:
    """Shows every topic of a layout. Example: vacancy topics list"""
    topics = _layout(load(given(None, layout=layout), config).settings).all_topics
    if as_json:
        typer.echo(json.dumps([_shown(topic, topic.config()) for topic in topics]))
        return
    table = Table("topic", "partitions", "key", "settings", "carries")
    for topic in topics:
        settings = ", ".join(f"{name}={value}" for name, value in topic.config().items())
        carries = ", ".join(model.event_type for model in topic.carries)
        table.add_row(topic.name, str(topic.partitions), topic.key, settings, carries)
    Console().print(table)


@app.command("plan")
def plan(
    layout: LayoutName = None,
    data: DataDirectory = None,
    broker: Broker = None,
    environment: Environment = None,
    config: SettingsFile = None,
    as_json: Json = False,
) -> None:
    """Shows what apply would do; exit 1 if there is anything. Example: vacancy topics plan --data .vacancy"""
    asked = given(None, layout=layout, data=data, broker=broker, environment=environment)
    settings = instance.belonging(load(asked, config).settings)
    found = asyncio.run(make_plan(_bootstrap(settings), _layout(settings), settings.environment))
    _print(found, settings, as_json)
    raise typer.Exit(0 if found.empty else 1)


@app.command("apply")
def apply(
    layout: LayoutName = None,
    data: DataDirectory = None,
    broker: Broker = None,
    environment: Environment = None,
    config: SettingsFile = None,
    prune: Annotated[bool, typer.Option("--prune", help="Delete topics the layout does not have; with --yes.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Really delete what --prune names.")] = False,
    as_json: Json = False,
) -> None:
    """Creates and changes topics until they are the layout's. Example: vacancy topics apply --broker kafka://h:9092"""
    asked = given(None, layout=layout, data=data, broker=broker, environment=environment)
    settings = instance.belonging(load(asked, config).settings)
    try:
        done = asyncio.run(apply_plan(_bootstrap(settings), _layout(settings), settings.environment))
        if prune and yes and done.leftover:
            asyncio.run(delete_topics(_bootstrap(settings), done.leftover))
    except TopicsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    _print(done, settings, as_json)
    if prune and not yes and done.leftover:
        typer.echo(f"nothing was deleted: --prune --yes deletes {', '.join(done.leftover)}", err=True)
        raise typer.Exit(2)
    if prune and not as_json:
        typer.echo("\n".join(f"- {name}" for name in done.leftover) or "there was nothing to delete")


def _bootstrap(settings: Settings) -> str:
    return instance.bootstrap_of(settings.data, settings.broker)


def _layout(settings: Settings) -> Layout:
    try:
        return load_layout(settings)
    except LayoutError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def _print(plan: Plan, settings: Settings, as_json: bool) -> None:
    if as_json:
        replication = replication_of(_layout(settings), settings.environment)
        typer.echo(
            json.dumps(
                {
                    "create": [_shown(topic, config_of(topic, replication)) for topic in plan.create],
                    "change": [[each.topic, each.setting, each.have, each.want] for each in plan.change],
                    "blocked": [[each.topic, each.setting, each.have, each.want] for each in plan.blocked],
                    "unknown": list(plan.unknown),
                }
            )
        )
        return
    for topic in plan.create:
        typer.echo(f"+ {topic.name} ({topic.partitions} partitions)")
    for each in plan.change:
        typer.echo(f"~ {each.topic} {each.setting}: {each.have} -> {each.want}")
    for each in plan.blocked:
        typer.echo(f"! {each.topic} {each.setting}: {each.have}, wanted {each.want} (cannot be changed in place)")
    for name in plan.unknown:
        fate = "apply --prune --yes deletes it" if name in plan.leftover else "another program's: it is left alone"
        typer.echo(f"? {name} is not of this layout ({fate})")
    if plan.empty:
        typer.echo("the broker has what the layout wants")


def _shown(topic: Topic, settings: dict[str, str]) -> dict[str, object]:
    return {
        "topic": topic.name,
        "partitions": topic.partitions,
        "key": topic.key,
        "settings": settings,
        "carries": [model.event_type for model in topic.carries],
    }
