"""The schema, built once from the queries of every noun. A new file in `queries/` is added to the bases of `Query`."""

import strawberry
from graphql import GraphQLError, GraphQLSchema, lexicographic_sort_schema, print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types.execution import ExecutionContext

from app.error_codes import ErrorCode
from app.graphql.cost import print_costs
from app.graphql.mutations.add_on import AddOnMutations
from app.graphql.mutations.alerts import AlertMutations
from app.graphql.mutations.payment import PaymentMutations
from app.graphql.mutations.payment_method import PaymentMethodMutations
from app.graphql.mutations.plan import PlanMutations
from app.graphql.queries.activity import ActivityQueries
from app.graphql.queries.add_ons import AddOnQueries
from app.graphql.queries.alerts import AlertQueries
from app.graphql.queries.billing_summary import BillingSummaryQueries
from app.graphql.queries.calls import CallQueries
from app.graphql.queries.invoices import InvoiceQueries
from app.graphql.queries.node import NodeQueries
from app.graphql.queries.payment_methods import PaymentMethodQueries
from app.graphql.queries.plan_advice import PlanAdviceQueries
from app.graphql.queries.plans import PlanQueries
from app.graphql.queries.usage import UsageQueries
from app.graphql.queries.viewer import ViewerQueries
from app.graphql.scalars import SCALARS
from app.graphql.subscriptions.billing_summary import BillingSummarySubscriptions
from app.graphql.types.line_kinds import LINE_TYPES
from app.graphql.types.payment_method import CardPaymentMethod, PayPalPaymentMethod


@strawberry.type(
    description=(
        "All queries. They return data of the account that you are signed in to. Money is exact to "
        "the cent, instants are UTC, and billing dates are in the billing time zone. Every error "
        "has `extensions.code` (see `ErrorCode`), `requestId` and `retryable`."
    )
)
class Query(
    ViewerQueries,
    BillingSummaryQueries,
    UsageQueries,
    PlanQueries,
    PlanAdviceQueries,
    AddOnQueries,
    CallQueries,
    InvoiceQueries,
    PaymentMethodQueries,
    AlertQueries,
    ActivityQueries,
    NodeQueries,
):
    """The root of all reads."""


@strawberry.type(
    description=(
        "All mutations. Each takes one `input` and returns a union of its success type and its "
        "possible refusals. Every refusal implements `UserError`."
    )
)
class Mutation(PlanMutations, AddOnMutations, PaymentMethodMutations, PaymentMutations, AlertMutations):
    """The root of all writes."""


@strawberry.type(
    description=(
        "All subscriptions. Each is an event stream of its own (`accept: text/event-stream`, the "
        "protocol `graphql-sse` with distinct connections): a `next` event with the data at once and "
        "after each change, and a `complete` event at the end."
    )
)
class Subscription(BillingSummarySubscriptions):
    """The root of what is followed."""


class BillingSchema(strawberry.Schema):
    """Strawberry's schema, silenced: it would log documents and values; `errors.py` logs what we may keep."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log nothing."""


schema = BillingSchema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[ErrorCode, CardPaymentMethod, PayPalPaymentMethod, *LINE_TYPES],
    config=StrawberryConfig(scalar_map=SCALARS),
)

graphql_schema: GraphQLSchema = schema._schema  # noqa: SLF001  the only door to graphql-core's own schema


def schema_text() -> str:
    """Return the schema as text: sorted, described, with the costs of its fields, and ended with a newline."""
    text = print_schema(lexicographic_sort_schema(graphql_schema))
    return print_costs(graphql_schema, text).rstrip("\n") + "\n"
