"""What the lines of a bill have in common, whether it is issued or still to come."""

import strawberry

from app.domain import invoice_lines
from app.domain.explanations import explain
from app.domain.invoice_lines import LineKind
from app.domain.line_inputs import inputs_of
from app.graphql.enums import described_enum

described_enum(
    LineKind,
    description="What a line of an invoice charges.",
    values={
        LineKind.BASE: "The plan's price for a month.",
        LineKind.BASE_REVERSAL: "The price of the plan that the month was billed on before, given back.",
        LineKind.CREDIT_KEPT: "What a credit note or write-off had taken off the price before, kept on the new price.",
        LineKind.ADD_ON: "The price of an add-on for a month, or for the rest of the month that it was bought in.",
        LineKind.ADDITIONAL_LINE: "The price of an additional telephone line for a month.",
        LineKind.OVERAGE: "Live time above the plan's included minutes, in the month that ended.",
        LineKind.PATCH: "Time of calls that were patched through to you, in the month that ended.",
        LineKind.IVR: "Automated (IVR) time in the month that ended.",
        LineKind.ADJUSTMENT: "Usage of an earlier month that came to light after its invoice; a credit when negative.",
        LineKind.CHARGE: "A one-time charge that our staff added, in its own words.",
        LineKind.LATE_FEE: "A fee for an invoice that was paid late.",
        LineKind.CORRECTION: "A charge of an earlier invoice, given back.",
        LineKind.TAX: "A tax on what the invoice charges, or that tax given back with what it had been charged on.",
    },
)


@strawberry.type(description="One figure that a line was worked out from.")
class LineInput:
    """An input in words."""

    key: str = strawberry.field(description="Names the input for a program; the same on every line that has it.")
    name: str = strawberry.field(description="What the figure is, such as `Included live time`.")
    value: str = strawberry.field(description="The figure with its unit, such as `100 min` or `$139.00`.")


@strawberry.type(description="Why a line costs what it costs.")
class LineExplanation:
    """Built from a line of the core with `LineExplanation.of`."""

    rule: int = strawberry.field(description="The number of the billing rule that made the line.")
    arithmetic: str = strawberry.field(description="The way from the figures to the amount, in one sentence.")
    inputs: list[LineInput] = strawberry.field(description="The figures that the line was worked out from.")

    @classmethod
    def of(cls, line: invoice_lines.InvoiceLine) -> "LineExplanation":
        """Return the explanation of a line for clients."""
        inputs = [LineInput(key=key, name=name, value=value) for key, name, value in inputs_of(line)]
        return cls(rule=line.rule, arithmetic=explain(line).arithmetic, inputs=inputs)
