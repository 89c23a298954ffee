"""`setia partners`: the keys by which partners know that a message is ours."""

from typing import Annotated

import typer

from setia.cli.console import print_data, say
from setia.cli.moments import Test, mode_of

partners = typer.Typer(help="Partners that deliver rewards by webhook.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(partners, name="partners")


@partners.command()
def keys(
    *,
    program: Annotated[str, typer.Option(help="The program, by its id.")],
    test: Test = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show the key of each partner of the live version that gets webhooks. Hand each its own, and no other.

    Who has it can speak to the partner in your name. It follows from the installation's secret, so it can be shown
    again.
    """
    from setia.db.engine import Database
    from setia.partners.signing import PartnerKeys
    from setia.secret import load_secret_key
    from setia.settings import load_settings
    from setia.versions.service import find_program, live

    settings = load_settings()
    with Database.open(settings, role="partners") as database, database.transaction() as tx:
        row = find_program(tx, program, mode_of(test))
        _, definition = live(tx, row.id)
    book = PartnerKeys(load_secret_key(settings))
    numbers = sorted(
        {
            (reward.partner or "", reward.webhook.key)
            for reward in definition.rewards.values()
            if reward.webhook is not None
        }
    )
    found = [{"partner": name, "number": number, "key": book.told(row.id, name, number)} for name, number in numbers]
    if as_json:
        print_data(found)
        return
    for one in found:
        say(f"{one['partner']}, key {one['number']}:")
        typer.echo(one["key"])
    if not found:
        say("No reward of the live version has a `webhook`.")
