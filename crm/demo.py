"""The demo shop's data: 200 customers and 1 000 orders, always the same, with dates counted back from a given day."""

from __future__ import annotations

import random
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Table

from crm import demo_catalogue as catalogue
from crm.model import (
    Comment,
    Customer,
    Invoice,
    Order,
    OrderItem,
    OrderStatus,
    Shipment,
    ShipmentEvent,
    Ticket,
    TicketKind,
    TicketStatus,
)
from crm.rules import RATES
from crm.store import SqlCrm
from crm.tables import customers, invoices, order_items, orders, shipment_events, shipments, ticket_comments, tickets

CUSTOMERS = 200
ORDERS = 1000
SEED = 20_260_001
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CARRIERS = {"SF": ("SF", 13), "JD": ("JD", 13), "YTO": ("YT", 13), "DHL": ("", 10)}
MAINLAND_PAYMENTS = ("WeChat Pay", "Alipay", "UnionPay", "Visa")
FOREIGN_PAYMENTS = ("Visa", "Mastercard", "Apple Pay")


class DemoShop:
    """Builds the data in memory; equal days give equal shops."""

    def __init__(self, today: date) -> None:
        self._random = random.Random(SEED)  # noqa: S311 - repeatable on purpose, nothing secret
        self.now = datetime.combine(today, time(2), UTC)  # 10:00 in China
        self.customers = [self._customer(n) for n in range(1, CUSTOMERS + 1)]
        self.orders = self._memorable_orders()
        while len(self.orders) < ORDERS:
            self.orders.append(self._random_order(len(self.orders) + 1))
        self.tickets = self._tickets()
        self.invoices = self._invoices()

    def _customer(self, n: int) -> Customer:
        pick = self._random
        created = self.now - DAY * pick.randint(40, 1400)
        points = pick.choice((0, 120, 480, 950, 1600, 2300, 3900, 5200, 8400, 12_600, 20_500))
        level = next(
            name
            for floor, name in ((20_000, "black"), (8_000, "gold"), (2_000, "silver"), (0, "standard"))
            if points >= floor
        )
        tier = "vip" if level == "black" else level
        if n == 1:
            return Customer(
                "C0001", "李婷", "13800132468", "liting@example.cn", "zh", "CN", "silver", 2860, created, "silver"
            )
        if n == 2:
            email = "emma.clarke@example.com"
            return Customer("C0002", "Emma Clarke", "+447700900123", email, "en", "GB", "gold", 8120, created, "gold")
        identity = f"C{n:04d}"
        if n <= 120:
            surname = pick.randrange(len(catalogue.SURNAMES))
            name = catalogue.SURNAMES[surname] + pick.choice(catalogue.GIVEN_NAMES)
            mail: str | None = f"{catalogue.PINYIN[surname]}{n}@example.cn" if n % 4 else None
            return Customer(identity, name, f"1380013{n:03d}{n % 10}", mail, "zh", "CN", level, points, created, tier)
        if n <= 140:
            name, phone, language, country = pick.choice(catalogue.HONG_KONG_NAMES), f"+85255550{n}", "zh", "HK"
        elif n <= 155:
            name, phone, language, country = pick.choice(catalogue.SINGAPORE_NAMES), f"+6580000{n}", "en", "SG"
        else:
            name = f"{pick.choice(catalogue.FIRST_NAMES)} {pick.choice(catalogue.LAST_NAMES)}"
            country = "GB" if n <= 180 else pick.choice(("DE", "FR", "NL"))
            prefix = {"GB": "+447700900", "DE": "+4915550100", "FR": "+3363998", "NL": "+3161234"}[country]
            phone, language = f"{prefix}{n:03d}" if country != "FR" else f"{prefix}0{n:03d}", "en"
        return Customer(
            identity, name, phone, f"customer{n}@example.com", language, country, level, points, created, tier
        )

    def _memorable_orders(self) -> list[Order]:
        """The ones the README and the journeys talk about; their place in the list is their number."""
        li, emma = self.customers[0], self.customers[1]
        shanghai, london = catalogue.MAINLAND[1], catalogue.ABROAD["GB"][0]
        return [
            self._order(1, li, shanghai, OrderStatus.SHIPPED, self.now - DAY - 3 * HOUR, ["Murmur Max"], "SF"),
            self._order(2, li, shanghai, OrderStatus.PAID, self.now - 2 * HOUR, ["Glow Lamp", "Tidal 20K"], "SF"),
            self._order(3, emma, london, OrderStatus.SHIPPED, self.now - 6 * DAY, ["Pebble Watch S2"], "DHL"),
            self._order(4, emma, london, OrderStatus.DELIVERED, self.now - 11 * DAY, ["Slate 11"], "DHL", days=8),
            self._order(
                5, li, shanghai, OrderStatus.DELIVERED, self.now - 6 * DAY, ["Murmur Buds 2", "Folio 7"], "SF", days=2
            ),
        ]

    def _random_order(self, n: int) -> Order:
        pick = self._random
        customer = self.customers[pick.randrange(2, CUSTOMERS)]
        places = catalogue.MAINLAND if customer.country == "CN" else catalogue.ABROAD[customer.country]
        age = pick.choice((0, 0, 1, 2, 3, 5, 8, 12, 20, 40, 90, 200, 380))
        placed = self.now - DAY * age - timedelta(minutes=pick.randint(5, 600))
        place = pick.choice(places)
        low, high = catalogue.REMOTE_DAYS if place.zh == "拉萨" else catalogue.DELIVERY_DAYS[customer.country]
        days = pick.randint(low, high)
        if age == 0:
            # Unpaid orders live for 30 minutes only.
            status = pick.choice((OrderStatus.UNPAID, OrderStatus.PAID, OrderStatus.PACKED, OrderStatus.CANCELLED))
            placed = self.now - timedelta(minutes=pick.randint(2, 25)) if status is OrderStatus.UNPAID else placed
        elif pick.random() < 0.06:
            status = OrderStatus.CANCELLED
        elif age > days:
            status = OrderStatus.RETURNED if age > 12 and pick.random() < 0.08 else OrderStatus.DELIVERED
        else:
            status = OrderStatus.SHIPPED
        carrier = "DHL" if customer.country not in {"CN", "HK"} else pick.choice(("SF", "SF", "JD", "YTO"))
        products = [name for name, *_ in pick.sample(catalogue.PRODUCTS, pick.choice((1, 1, 1, 2, 2, 3)))]
        return self._order(n, customer, place, status, placed, products, carrier, days)

    def _order(
        self,
        n: int,
        customer: Customer,
        place: catalogue.Place,
        status: OrderStatus,
        placed: datetime,
        products: list[str],
        carrier: str,
        days: int | None = None,
    ) -> Order:
        number = f"KT{20_260_000 + n}"
        currency = catalogue.CURRENCIES[customer.country]
        items = tuple(self._item(line, name, currency) for line, name in enumerate(products, 1))
        goods = sum(item.unit_price * item.quantity for item in items)
        free_from, fee = (99, 10) if customer.country == "CN" else (800, 60)
        fee = 0 if goods >= free_from * 100 / RATES[currency] else round(fee / RATES[currency]) * 100
        days = days or catalogue.DELIVERY_DAYS[customer.country][1]
        sent = status in {OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.RETURNED}
        shipped = placed + 6 * HOUR if sent else None
        arrived = status in {OrderStatus.DELIVERED, OrderStatus.RETURNED}
        delivered = shipped + DAY * days if shipped and arrived else None
        house, flat = 10 + n % 180, 101 + n % 1500
        return Order(
            number=number,
            customer_id=customer.id,
            status=status,
            currency=currency,
            items=items,
            shipping_fee=fee,
            total=goods + fee,
            payment_method=self._random.choice(MAINLAND_PAYMENTS if customer.country == "CN" else FOREIGN_PAYMENTS),
            recipient=customer.name,
            phone=customer.phone or "",
            address=place.address.format(n=house, m=flat),
            country=customer.country,
            placed_at=placed,
            # Cancelled orders of the demo were cancelled because nobody paid.
            paid_at=None if status in {OrderStatus.UNPAID, OrderStatus.CANCELLED} else placed + timedelta(minutes=4),
            shipped_at=shipped,
            delivered_at=delivered,
            shipment=self._shipment(carrier, place, shipped, delivered, days) if shipped else None,
        )

    def _item(self, line: int, name: str, currency: str) -> OrderItem:
        product, product_zh, cny, hygiene = next(row for row in catalogue.PRODUCTS if row[0] == name)
        price = cny if currency == "CNY" else round(cny / RATES[currency] / 10) * 10 - 1
        quantity = 2 if cny < 300 and self._random.random() < 0.3 else 1
        return OrderItem(line, product, product_zh, quantity, price * 100, hygiene)

    def _shipment(
        self, carrier: str, place: catalogue.Place, shipped: datetime, delivered: datetime | None, days: int
    ) -> Shipment:
        prefix, digits = CARRIERS[carrier]
        tracking = prefix + "".join(self._random.choices("0123456789", k=digits - 1)).rjust(digits, "1")
        length = DAY * days
        steps = [
            (0.0, "包裹已从杭州仓库发出", "Parcel left the Hangzhou warehouse"),
            (0.08, "已到达杭州萧山集散中心", "Arrived at the Hangzhou Xiaoshan hub"),
            (0.2, "已离开杭州，发往" + place.zh, f"Left Hangzhou for {place.en}"),
        ]
        if carrier == "DHL":
            steps += [
                (0.45, "已完成出口清关", "Export customs cleared"),
                (0.7, f"已到达{place.hub_zh}", f"Arrived at {place.hub_en}"),
                (0.8, "已完成进口清关", "Import customs cleared"),
            ]
        else:
            steps.append((0.6, f"已到达{place.hub_zh}", f"Arrived at the {place.hub_en}"))
        steps.append((0.93, f"快递员正在派送（{place.zh}）", f"Out for delivery in {place.en}"))
        history = [
            ShipmentEvent(at, zh, en)
            for share, zh, en in steps
            if (at := shipped + length * share) <= (delivered or self.now)
        ]
        if delivered:
            history.append(ShipmentEvent(delivered, "已签收，感谢您的等待", "Delivered, signed for by the recipient"))
        # A parcel that is late by the table is expected tomorrow, not in the past.
        expected = max((shipped + length).date(), (self.now + DAY).date()) if not delivered else delivered.date()
        return Shipment(carrier, tracking, expected, tuple(history))

    def _tickets(self) -> list[Ticket]:
        emma = self.customers[1]
        opened = self.now - 2 * DAY
        made = [
            Ticket(
                "TK100001",
                TicketKind.PROBLEM,
                emma.id,
                emma.email,
                "KT20260004",
                "en",
                "Slate 11 pen does not charge",
                "The pen of my Slate 11 does not charge at the side of the tablet.",
                TicketStatus.IN_PROGRESS,
                "normal",
                opened,
                opened + 20 * HOUR,
                (Comment("Sam", "We are sending you a new pen; no need to return the old one.", opened + 20 * HOUR),),
            )
        ]
        for n in range(2, 41):
            language, subject, text, answer = self._random.choice(catalogue.PROBLEMS)
            owners = [customer for customer in self.customers[2:] if customer.language == language]
            owner, opened = self._random.choice(owners), self.now - HOUR * self._random.randint(3, 900)
            status = self._random.choice(tuple(TicketStatus))
            answered = opened + timedelta(minutes=self._random.randint(20, 170))
            comments = () if status is TicketStatus.OPEN else (Comment("Sam", answer, answered),)
            made.append(
                Ticket(
                    f"TK{100_000 + n}", TicketKind.PROBLEM, owner.id, owner.email or owner.phone, None, language, subject, text,
                    status, self._random.choice(("low", "normal", "normal", "high")), opened, answered if comments else opened, comments,
                )
            )  # fmt: skip
        return made

    def _invoices(self) -> list[Invoice]:
        people = {customer.id: customer for customer in self.customers}
        done = [order for order in self.orders[5:] if order.status is OrderStatus.DELIVERED][:60]
        made = []
        for n, order in enumerate(done, 1):
            person = people[order.customer_id]
            assert order.delivered_at
            issued = order.delivered_at + 9 * HOUR
            to = person.email or person.phone or ""
            issued_at = issued if issued <= self.now else None
            made.append(
                Invoice(
                    f"INV{20_260_000 + n}",
                    order.number,
                    "personal",
                    person.name,
                    None,
                    to,
                    order.delivered_at,
                    issued_at,
                )
            )
        return made


def table_rows(shop: DemoShop) -> list[tuple[Table, list[dict[str, Any]]]]:
    """The shop as rows, in the order foreign keys need."""
    rows: dict[Table, list[dict[str, Any]]] = {
        table: []
        for table in (customers, orders, order_items, shipments, shipment_events, tickets, ticket_comments, invoices)
    }
    rows[customers] = [asdict(customer) for customer in shop.customers]
    for order in shop.orders:
        own = {"order_number": order.number}
        rows[orders].append({column.name: getattr(order, column.name) for column in orders.columns})
        rows[order_items] += [{**own, **asdict(item)} for item in order.items]
        if order.shipment:
            parcel = order.shipment
            rows[shipments].append(
                {
                    **own,
                    "carrier": parcel.carrier,
                    "tracking_number": parcel.tracking_number,
                    "expected_on": parcel.expected_on,
                }
            )
            rows[shipment_events] += [
                {**own, "position": n, **asdict(event)} for n, event in enumerate(parcel.events, 1)
            ]
    for ticket in shop.tickets:
        rows[tickets].append({column.name: getattr(ticket, column.name) for column in tickets.columns})
        rows[ticket_comments] += [
            {"ticket_number": ticket.number, "position": n, **asdict(comment)}
            for n, comment in enumerate(ticket.comments, 1)
        ]
    rows[invoices] = [asdict(invoice) for invoice in shop.invoices]
    return list(rows.items())


async def load_demo(crm: SqlCrm, today: date) -> int:
    """Put the demo shop into the tables; what is there stays as it is. Counts the rows that were new."""
    shop = DemoShop(today)
    # New tickets and invoices start well above the demo's own.
    return await crm.load(table_rows(shop), {"ticket": 100_200, "invoice": 20_260_500})
