"""What partners are asked for, sent: after the commit, again after pauses, and what they answer booked once."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cached_property
from typing import Any

import psycopg
import structlog

from setia.db.engine import Database, driver_connection
from setia.db.ids import format_id
from setia.events.live import LivePrograms
from setia.partners import outbox
from setia.partners.addresses import Network
from setia.partners.answer import Answer, Delivered, Failed, Refused, read_answer
from setia.partners.egress import Egress, Timeouts, Unreached
from setia.partners.outbox import MESSAGE_PREFIX, MOST_TRIES, Delivery
from setia.partners.signing import PartnerKeys, content
from setia.program.webhooks import Webhook
from setia.rewards.codes import CodeBook
from setia.rewards.ending import Ending

AT_ONCE = 8
OF_ONE = 4
"""How many messages are under way at a time, and how many of them to one address: silent ones leave room for others."""
SECONDS = 20.0
"""How long one call sends before a worker's other jobs have their turn."""
_log = structlog.get_logger(__name__)


class PartnerSender:
    """Sends what is due, to the partners of all programs. Any number may at once, in any number of processes.

    It lives by the real time, also for programs in test mode: partners do, and a clock that is moved by years would ask
    them eight times in a moment.
    """

    def __init__(
        self,
        database: Database,
        programs: LivePrograms,
        secret: Callable[[], bytes],
        networks: Sequence[Network] = (),
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - a tuple, which nobody changes
    ) -> None:
        """`secret` gives the installation's secret; it is asked for when the first message is sent."""
        self._database, self._programs, self._secret = database, programs, secret
        self._egress = Egress(networks, timeouts)

    def send_due(self, now: dt.datetime | None = None, stopping: threading.Event | None = None) -> int:
        """Send what is due, until nothing is, or time is over, or it is told to stop; gives how many it tried.

        A partner that did not answer is left alone for the rest of the call: others do not wait for its timeouts.
        """
        began, tried, silent = time.monotonic(), 0, set[str]()
        asked: dict[Future[Answer], Delivery] = {}
        with ThreadPoolExecutor(AT_ONCE, "partners") as pool:
            while True:
                if time.monotonic() - began < SECONDS and not (stopping is not None and stopping.is_set()):
                    claimed = self._claim(now or dt.datetime.now(dt.UTC), asked.values(), silent)
                    tried += len(claimed)
                    # What is claimed is sent at once: none waits for another, and its pause is longer than any try.
                    asked |= {pool.submit(self._ask, delivery): delivery for delivery in claimed}
                if not asked:
                    return tried
                # Each as soon as it is there: what is known and not written down is lost with the process.
                for one in wait(asked, return_when=FIRST_COMPLETED).done:
                    delivery, answer = asked.pop(one), one.result()
                    if isinstance(answer, Failed):
                        silent.add(delivery.url)
                    self._write_down(delivery, answer)

    def _claim(self, now: dt.datetime, under_way: Collection[Delivery], silent: set[str]) -> list[Delivery]:
        """Claim as many as there is room for: new ones of each address only when the earlier ones are through."""
        room = AT_ONCE - len(under_way)
        leave_out = silent | {delivery.url for delivery in under_way}
        if not room:
            return []
        return self._database.run(lambda tx: outbox.claim(driver_connection(tx), now, room, leave_out, OF_ONE))

    def _ask(self, delivery: Delivery) -> Answer:
        """Send one message. Whatever happens, it is an answer: the others of its chunk go on."""
        try:
            webhook = self._webhook(delivery)
            url = delivery.url if webhook is None else webhook.url
            number = delivery.signed_by if webhook is None else webhook.key
            message, body = format_id(MESSAGE_PREFIX, delivery.id), delivery.body.encode()
            # The moment of this try, which is signed too: an old message that somebody kept is known as old.
            timestamp = int(time.time())
            signed = content(message, timestamp, body)
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "Setia",
                "webhook-id": message,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": self._keys.signature(delivery.program_id, delivery.partner, number, signed),
            }
            return read_answer(self._egress.post(url, headers, body), dt.datetime.now(dt.UTC))
        except Unreached as error:
            return Failed(str(error))
        except Exception as error:  # noqa: BLE001 - one message must not hold up those of other partners
            _log.exception("partner_message_failed", delivery=str(delivery.id))
            return Failed(f"it could not be sent: {type(error).__name__}")

    def _write_down(self, delivery: Delivery, answer: Answer) -> None:
        try:
            self._database.run(lambda tx: self._book(driver_connection(tx), delivery, answer))
        except Exception:  # noqa: BLE001 - likewise; it is due again after its pause, under the same id
            _log.exception("partner_answer_not_booked", delivery=str(delivery.id))

    def _book(self, connection: psycopg.Connection[Any], delivery: Delivery, answer: Answer) -> None:
        """Book what came of a try: the member first, as everybody locks; then the delivery, which ends once."""
        now = dt.datetime.now(dt.UTC)
        if isinstance(answer, Failed) and delivery.tries < MOST_TRIES:
            outbox.put_off(connection, delivery, answer.why, now, answer.not_before)
            return
        live = self._programs.live(connection, delivery.program_id)
        ending = Ending(connection, live, self._book_of_codes, delivery.redemption_id, now)
        current = outbox.of_redemption(connection, delivery.redemption_id, locked=True)
        if current is None or current.state != "waiting":
            # It was given up, or another worker was told something else: a person has to look whether both were given.
            _log.warning("partner_answered_too_late", delivery=str(delivery.id), answer=type(answer).__name__.lower())
            return
        if isinstance(answer, Delivered):
            sealed = None if answer.code is None else self._book_of_codes.seal(delivery.id, answer.code)
            outbox.end(connection, delivery, "delivered", now, sealed=sealed)
            ending.delivered()
        else:
            state: outbox.DeliveryState = "refused" if isinstance(answer, Refused) else "failed"
            outbox.end(connection, delivery, state, now, why=answer.why)
            ending.not_delivered()

    def _webhook(self, delivery: Delivery) -> Webhook | None:
        """Where the partner is reached now: a new version may have corrected it since the redemption."""
        with self._database.transaction() as tx:
            live = self._programs.live(driver_connection(tx), delivery.program_id)
        reward = live.compiled.definition.rewards.get(delivery.reward)
        if reward is None or reward.webhook is None or reward.partner != delivery.partner:
            return None
        return reward.webhook

    @cached_property
    def _keys(self) -> PartnerKeys:
        return PartnerKeys(self._secret())

    @cached_property
    def _book_of_codes(self) -> CodeBook:
        return CodeBook(self._secret())
