"""From rows to the draft of one purchase, by the map; what cannot be mapped is said with a place in the event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from setia.imports.bought import Bought
from setia.imports.envelopes import Envelope, Order
from setia.imports.goods import Goods
from setia.imports.mapping import ImportMap
from setia.imports.returns import Returns
from setia.imports.values import Reader, Row
from setia.program.findings import DefinitionError
from setia.program.positions import Sources


class PurchaseMapper(Envelope):
    """A map of purchases made ready for the columns of one file."""

    returns: Returns | None
    """What matches the rows that come back, where the map says which those are."""

    def __init__(
        self,
        form: ImportMap,
        sources: Sources,
        columns: Collection[str] | None,
        digits: int,
        looked_at: int = 0,
        bought: Bought | None = None,
    ) -> None:
        """Compile everything. `columns` are those of the file, or of so many rows that were looked at.

        `bought` keeps what later rows may bring back.

        Raises:
            DefinitionError: with every expression and column that does not fit.
        """
        reader = Reader(sources, columns, looked_at)
        super().__init__(form, reader)
        self._goods = Goods(form, form.lines, form, reader, digits)
        self.returns = None
        if form.returns is not None and bought is not None:
            self.returns = Returns(form.returns, form.lines, reader, self, bought, digits)
        if reader.findings:
            raise DefinitionError(reader.findings)

    def order(self, rows: Sequence[Row], received_at: dt.datetime) -> Order:
        """The purchase that these rows are. Raises FaultyOrder, with every fault found."""
        body, skipped_hour = self.begin(rows)
        body |= {"type": "purchase", **self._goods.read(rows)}
        return self.finish(body, rows, received_at, skipped_hour=skipped_hour)
